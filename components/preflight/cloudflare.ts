import { z } from 'zod';
import type { CloudflareCredentials } from './credentials';
import { requestJson } from './http';

const zoneSchema = z.object({ id: z.string(), name: z.string() });
export type Zone = z.infer<typeof zoneSchema>;

/** The zones that the token may see (first fifty), the one asked for among them if it is there. @throws VendorError */
export async function readZones({ url, token }: CloudflareCredentials, name: string): Promise<Zone[]> {
  const list = async (query: string): Promise<Zone[]> => {
    const { result } = await requestJson({
      vendor: 'Cloudflare',
      url: `${url}/zones?${query}`,
      headers: { authorization: `Bearer ${token ?? ''}` },
      schema: z.object({ result: z.array(zoneSchema) }),
      errorMessage: (body) =>
        z.object({ errors: z.array(z.object({ message: z.string() })).min(1) }).safeParse(body).data
          ?.errors[0]?.message,
    });
    return result;
  };
  const exact = await list(`name=${encodeURIComponent(name)}`);
  return exact.length > 0 ? exact : list('per_page=50');
}
