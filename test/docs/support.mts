import { join } from 'node:path';
import type { Ended } from '../cli/program.mts';
import { reportSchema, type ReportDocument } from '../../lib/report/document-schema.mts';

/** Runs the example role of the README. */
export const PLAYBOOK = join(import.meta.dirname, 'playbook.mts');

export const documentIn = ({ stdout }: Ended): ReportDocument => reportSchema.parse(JSON.parse(stdout));
