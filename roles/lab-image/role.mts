import { controllerCommand, defineControllerRole, type Change, type Question, type Resource, type Steps } from '../../lib/index.mts';
import { image, preflight, program, PROVIDER } from '../lab-hosts/contract.mts';
import { archives } from './archives.mts';
import { labImage } from './contract.mts';

/** Longest time for what is downloaded, on a slow line. */
const DOWNLOAD_SECONDS = 1800;

export default defineControllerRole({
  contract: labImage,
  summary: 'what the hosts of the lab are made from: programs of this machine, a base image, a key, archives',
  runs: 'controller',
  per: 'group',
  provides: PROVIDER,
  refuses: ({ inventory }) => preflight(inventory),
  resources: ({ vars, inventory }) => [
    part(
      'lab packages',
      image().map(({ missingPackages }) => (missingPackages === '' ? [] : [missing('packages', `install ${missingPackages}`)])),
      ['packages'],
    ),
    part(
      'lab key',
      image().map(({ hasKey }) => (hasKey ? [] : [missing('key', 'made')])),
      ['key'],
    ),
    part(
      'lab base image',
      image().map((made) => (made.hasImage ? [] : [missing('image', made.image)])),
      ['build', vars.mirror],
      ['lab_image_mirror'],
    ),
    ...archives(inventory, DOWNLOAD_SECONDS),
  ],
});

const missing = (field: string, to: string): Change => ({ field, from: { kind: 'absent' }, to: { kind: 'text', text: to } });

function part(id: string, differs: Question<readonly Change[]>, words: readonly string[], because: readonly string[] = []): Resource {
  return controllerCommand(id, {
    because,
    differs,
    run: (steps: Steps) => {
      steps.within(DOWNLOAD_SECONDS, (longer) => {
        longer.controller(program('lab-image', ...words));
      });
    },
  });
}
