// The whole battery (`npm run battery`): full size, including full disks.
import { defineConfig } from 'vitest/config';
import { system } from './vitest.config.js';

const withoutDisks = process.env['COLLOQUY_BATTERY_DISKS'] === 'off';
if (withoutDisks) process.stderr.write('battery: COLLOQUY_BATTERY_DISKS=off, so full disks are NOT tested\n');

export default defineConfig({
  test: {
    ...system,
    include: ['test/battery/**/*.{spec,whole}.ts'],
    exclude: [...system.exclude, ...(withoutDisks ? ['test/battery/full-disk.whole.ts'] : [])],
    // One after the other: each wants the machine for itself.
    fileParallelism: false,
    provide: { battery: 'whole' },
  },
});
