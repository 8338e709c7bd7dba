/** Whether a data path has anything to lose: a script that prints `fresh` or `used`. */
/**
 * A refused first start (bootstrap checks) already leaves files in the data path. Such a node never accepted a cluster state: the last commit
 * of its state says term 0, version 0, as plain text between the binary lengths of a Lucene segments file. Anything else counts as used.
 */
export const dataProbe = (path: string): string => `cd ${path} 2>/dev/null || { [ -e ${path} ] && echo used || echo fresh; exit 0; }
[ -n "$(ls -A . 2>/dev/null)" ] || { echo fresh; exit 0; }
[ ! -e nodes ] && { echo used; exit 0; }
[ "$(ls -A nodes)" = 0 ] || { echo used; exit 0; }
[ ! -e nodes/0/indices ] || [ -z "$(ls -A nodes/0/indices)" ] || { echo used; exit 0; }
[ -e nodes/0/_state ] || { echo fresh; exit 0; }
[ -n "$(ls -A nodes/0/_state)" ] || { echo fresh; exit 0; }
answer=used
for commit in nodes/0/_state/segments_*; do
  [ -f "$commit" ] || continue
  said=" $(LC_ALL=C tr -cs '[:alnum:]_' ' ' <"$commit") "
  case $said in *' current_term 0 '*) ;; *) echo used; exit 0 ;; esac
  case $said in *' last_accepted_version 0 '*) answer=fresh ;; *) echo used; exit 0 ;; esac
done
echo $answer
`;
