// Creates {@link Egress} from the settings.
import type { Config } from '../config/config.js';
import { Egress } from './egress.js';

export const openEgress = ({ egressAllow, recordingMaxBytes }: Config): Egress =>
  new Egress({ allow: egressAllow, limits: { recordingBytes: recordingMaxBytes } });
