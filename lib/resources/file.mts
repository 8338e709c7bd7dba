import type { Answer, Change, Question, Resource, Shown } from '../plan/model.mts';
import { attempt, checkedPath, known, question, sha256, stat, text } from '../plan/questions.mts';
import { isConfidential, type Content } from '../secret.mts';
import { compared, meaningOf, sha256Of, type Syntax } from '../shell/digest.mts';
import { TEXT_LIMIT } from '../shell/probe-answers.mts';
import { applyMeta, metaChanges, metaOf, ofType, type MetaOptions } from './meta.mts';
import { absentShown, change, has, hidden, resource, shown, type Common } from './resource.mts';

export interface FileOptions extends Common, MetaOptions {
  readonly content: Content;
  /** How its reader takes it; unless said, every byte counts. Secrets are only known to differ. */
  readonly syntax?: Syntax;
  /** Makes missing parent directories, root's and 0755. */
  readonly parents?: true;
  /** Written in this directory of the same filesystem and moved into place: for directories in which a program reads whatever lies there. */
  readonly staging?: string;
}

interface Now {
  readonly shown: Shown;
  readonly is: 'same' | 'cosmetic' | 'different';
}

/** Content that can be shown is compared as text, so that a difference can be shown too; everything else by digest. */
function contentNow(path: string, content: Content, syntax: Syntax | undefined): Question<Now> {
  if (typeof content !== 'string' || Buffer.byteLength(content) > TEXT_LIMIT) {
    const wanted = sha256Of(content);
    return sha256(path).map((have) => ({
      is: have === wanted ? 'same' : 'different',
      shown: have === undefined ? absentShown : isConfidential(content) ? hidden : shown(`sha256 ${have}`),
    }));
  }
  const against = (have: string): Now['is'] => (syntax !== undefined ? compared(have, content, syntax) : have === content ? 'same' : 'different');
  // What cannot be read as text cannot be equal to a text.
  const unreadable = (have: Answer<string | undefined>): Answer<Now> => {
    if (have.kind === 'known')
      return known(have.value === undefined ? { is: 'different', shown: absentShown } : { is: against(have.value), shown: shown(have.value) });
    return /^(not UTF-8 text|larger than )/.test(have.reason) ? known({ is: 'different', shown: shown(`(${have.reason})`) }) : have;
  };
  const read = attempt(text(path));
  return question(read.asks, (answers) => {
    const have = read.read(answers);
    return have.kind === 'known' ? unreadable(have.value) : have;
  });
}

function wantedShown(content: Content): Shown {
  if (isConfidential(content)) return hidden;
  return shown(typeof content === 'string' ? content : `sha256 ${sha256Of(content)}`);
}

/** A regular file with this content, owner and mode. */
export function file(path: string, options: FileOptions): Resource {
  checkedPath(path);
  const { content, syntax } = options;
  const meta = metaOf(options, 0o644);
  const status = stat(path);
  const reading = contentNow(path, content, syntax);
  return resource(`file ${path}`, options, {
    wanted: [syntax === undefined || typeof content !== 'string' ? sha256Of(content) : meaningOf(Buffer.from(content).toString('latin1'), syntax), meta],
    differs: question<readonly Change[]>([...status.asks, ...reading.asks], (answers) => {
      const now = status.read(answers);
      if (now.kind === 'unavailable') return now;
      const there = ofType('file', path, now.value);
      if (there.kind === 'unavailable') return there;
      if (there.value === undefined) return known([change('content', absentShown, wantedShown(content))]);
      const have = reading.read(answers);
      if (have.kind === 'unavailable') return have;
      const { is, shown: found } = have.value;
      const differing = is === 'same' ? [] : [change('content', found, wantedShown(content), is === 'cosmetic' ? { cosmetic: true } : {})];
      return known([...differing, ...metaChanges(there.value, meta)]);
    }),
    apply(changes, steps) {
      if (!has(changes, 'content')) {
        applyMeta(path, meta, changes, steps);
        return;
      }
      if (options.parents === true) steps.sh`mkdir -p -- ${path.slice(0, path.lastIndexOf('/')) || '/'}`;
      if (options.staging === undefined) {
        steps.put(path, content, meta);
        return;
      }
      const staged = `${options.staging}/.staged-${path.slice(path.lastIndexOf('/') + 1)}`;
      steps.put(staged, content, meta);
      steps.sh`mv -fT -- ${staged} ${path}
if command -v restorecon >/dev/null 2>&1; then restorecon -- ${path}; fi`;
    },
  });
}
