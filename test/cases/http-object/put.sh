# at=host deadline=120s payloads=0
set -eu
LC_ALL=C
export LC_ALL
umask 022
scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT
trap 'exit 143' HUP INT TERM
say() { printf '%s\n' "$*" >&2; }
refuse() { say "$@"; exit 86; }
(
url='http://127.0.0.1:9200/_template/jmx'
answer=$(printf '%s' '{"index_patterns":["jmx-*"]}' | curl -q --silent --show-error --globoff --noproxy '*' --max-time 60 --request 'PUT' --header 'content-type: application/json' --data-binary @- --write-out '
%{http_code}' -- "$url") || { say 'PUT' "$url failed"; exit 1; }
case ${answer##*'
'} in
  2??) ;;
  *) say 'PUT' "$url was answered: $(printf '%s' "$answer" | tr '
' ' ' | cut -c 1-400)"; exit 1 ;;
esac
)
