import type { Config } from '../config/config.js';
import type { RegionSettings } from '../collector/region-settings.js';

/** The settings of each account and region. */
export function regionSettingsOf(config: Config): readonly RegionSettings[] {
  const { polling, sharding } = config;
  return config.accounts.flatMap((settings) =>
    settings.regions.map((region) => ({
      account: settings.name,
      regionId: region.id,
      settings,
      region,
      polling,
      sharding,
    })),
  );
}
