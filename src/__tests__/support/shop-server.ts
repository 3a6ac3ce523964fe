import type {RealtimeConfig} from '../../index';
import type {TestDatabase} from './databases';
import {givenShop} from './shop';

/** What a shop in a process of its own is told, as JSON in `SHOP`. */
export interface ShopSettings {
  readonly config: TestDatabase['config'];
  readonly realtime: RealtimeConfig;
  readonly port: number;
}

/** What it answers once it serves. */
export interface ShopReady {
  readonly port: number;
}

async function main({config, realtime, port}: ShopSettings): Promise<void> {
  const shop = await givenShop({config} as TestDatabase, realtime, port);
  const ready: ShopReady = {port: Number(new URL(shop.url).port)};
  process.send?.(ready);
  // Whoever started it has gone: nobody would ever stop it.
  process.once('disconnect', () => process.exit(0));
}

if (require.main === module) void main(JSON.parse(String(process.env.SHOP)));
