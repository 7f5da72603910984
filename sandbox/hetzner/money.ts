import { VAT_PERCENT } from './catalogue';

/** A price as the API writes it: decimal strings, net and with VAT. */
export interface Price {
  net: string;
  gross: string;
}

const GROSS_FACTOR = 1 + VAT_PERCENT / 100;

/** Net EUR with VAT added. */
export const gross = (net: number): number => net * GROSS_FACTOR;

export function price(net: number): Price {
  return { net: net.toFixed(10), gross: `${gross(net).toFixed(10)}000000` };
}
