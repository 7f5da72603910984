import { z } from 'zod';
import type { CloudflareCredentials } from './credentials';
import { requestJson, type VendorRequest } from './http';

const zoneSchema = z.object({ id: z.string(), name: z.string() });
export type Zone = z.infer<typeof zoneSchema>;

/** What is said to Cloudflare in every request of an account. */
export function cloudflareRequest<T extends z.ZodType>(
  { url, token }: CloudflareCredentials,
  request: Pick<VendorRequest<T>, 'method' | 'schema'> & { path: string },
): VendorRequest<T> {
  const { path, ...rest } = request;
  return {
    ...rest,
    vendor: 'Cloudflare',
    url: `${url}${path}`,
    headers: { authorization: `Bearer ${token ?? ''}` },
    errorMessage: (body) =>
      z.object({ errors: z.array(z.object({ message: z.string() })).min(1) }).safeParse(body).data?.errors[0]
        ?.message,
  };
}

/** The zones that the token may see (first fifty), the one asked for among them if it is there. @throws VendorError */
export async function readZones(credentials: CloudflareCredentials, name: string): Promise<Zone[]> {
  const schema = z.object({ result: z.array(zoneSchema) });
  const list = async (query: string): Promise<Zone[]> => {
    const { result } = await requestJson(cloudflareRequest(credentials, { path: `/zones?${query}`, schema }));
    return result;
  };
  const exact = await list(`name=${encodeURIComponent(name)}`);
  return exact.length > 0 ? exact : list('per_page=50');
}
