/** Ids that one resource needs of another. */
import { resourceId, type ResourceId } from '../names.mts';

/** Each unit has its own id for the shared script, so that two services of one role do not clash. */
export const startRecordScriptId = (unit: string): ResourceId => resourceId(`start-record ${unit}`);
export const dropInId = (unit: string, name: string): ResourceId => resourceId(`unit ${unit}.d/${name}.conf`);
export const startRecordIds = (unit: string): readonly [ResourceId, ResourceId] => [startRecordScriptId(unit), dropInId(unit, '50-start-record')];
