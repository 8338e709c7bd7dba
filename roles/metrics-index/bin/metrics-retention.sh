#!/bin/sh
# Usage: metrics-retention [--dry-run] NAME DAYS BYTES STATE URL...
# Deletes daily indices NAME-YYYY.MM.dd of Elasticsearch: those older than DAYS whole days (UTC), then the oldest ones while all of them together
# have more than BYTES with their replicas. 0: no such limit. Today's index and later ones are never deleted, nor is anything with another name.
# URL: nodes of one cluster; the first that answers is asked. STATE: a file that is written after each success, and says what was done.
# Whatever Elasticsearch answers that is no plain list of indices ends it before anything is deleted.
set -eu
LC_ALL=C
export LC_ALL
umask 022

fail() { echo "metrics-retention: $*" >&2; exit 1; }
dry=
[ "${1:-}" != --dry-run ] || { dry=1; shift; }
[ $# -ge 5 ] || fail "usage: metrics-retention [--dry-run] NAME DAYS BYTES STATE URL..."
name=$1 days=$2 bytes=$3 state=$4
shift 4
case $name in ''|*[!a-z0-9_]*) fail "$name is no name of an index" ;; esac
case $days$bytes in *[!0-9]*) fail "$days days and $bytes bytes are no numbers" ;; esac

ask() { curl -q --silent --show-error --globoff --noproxy '*' --connect-timeout 5 --max-time 120 "$@"; }

# Whole days since 1970 of a date YYYY.MM.dd; fails where the calendar has no such day.
day_number() {
  y=${1%%.*} m=${1#*.} d=${1##*.}
  m=${m%.*}
  while [ "$y" != "${y#0}" ]; do y=${y#0}; done
  y=${y:-0} m=${m#0} d=${d#0}
  leap=0
  if [ $((y % 4)) -eq 0 ] && { [ $((y % 100)) -ne 0 ] || [ $((y % 400)) -eq 0 ]; }; then leap=1; fi
  case $m in 1|3|5|7|8|10|12) last=31 ;; 4|6|9|11) last=30 ;; 2) last=$((28 + leap)) ;; *) return 1 ;; esac
  [ "${d:-0}" -ge 1 ] && [ "$d" -le "$last" ] && [ "$y" -ge 1970 ] || return 1
  # Years that begin in March: the day that leap years add is then the last of the year.
  [ "$m" -gt 2 ] || { m=$((m + 12)); y=$((y - 1)); }
  echo $((365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 719469))
}

today=$(($(date -u +%s) / 86400))
[ "$today" -gt 20000 ] || fail "the clock of this host says that today is $(date -u +%Y-%m-%d)"

answer=''
for url do
  answer=$(ask --write-out '\n%{http_code}' -- "$url/_cat/indices/$name-*?h=index,store.size&bytes=b&expand_wildcards=open,closed") || answer=''
  case $answer in
    *'
200') break ;;
    ?*) echo "$url answered $(printf '%s' "$answer" | tr '\n' ' ' | cut -c 1-200)" >&2; answer='' ;;
  esac
done
[ -n "$answer" ] || fail "no node of Elasticsearch answered; nothing was deleted"
list=${answer%?200}

# A closed index, or one without a primary, has no size.
odd=$(printf '%s\n' "$list" | grep -Ev '^([^][:space:]<>"{}\/*?|,#[]+([[:space:]]+[0-9]+)?[[:space:]]*)?$' | head -n 1)
[ -z "$odd" ] || fail "$url sent something that is no list of indices: $(printf '%s' "$odd" | cut -c 1-200); nothing was deleted"

# Oldest first: dates of this form sort as text. A date that the calendar does not have is a name like any other.
ours=$(printf '%s\n' "$list" | grep -E "^$name-[0-9]{4}\.[0-9]{2}\.[0-9]{2}([[:space:]]|\$)" | sed 's/[[:space:]]*$//' | sort) || :
set -f
IFS='
'
total=0 kept=0
for line in $ours; do
  size=${line#"$name"-??????????}
  size=${size##*[!0-9]}
  day_number "$(printf '%s' "${line#"$name"-}" | cut -c 1-10)" >/dev/null || continue
  total=$((total + ${size:-0})) kept=$((kept + 1))
done

deleted=0
for line in $ours; do
  date=$(printf '%s' "${line#"$name"-}" | cut -c 1-10)
  size=${line#"$name"-??????????}
  size=${size##*[!0-9]}
  number=$(day_number "$date") || continue
  age=$((today - number))
  [ "$age" -gt 0 ] || break
  if [ "$days" -gt 0 ] && [ "$age" -gt "$days" ]; then why="$age days old, more than $days"
  elif [ "$bytes" -gt 0 ] && [ "$total" -gt "$bytes" ]; then why="all have $total bytes, more than $bytes"
  else break; fi
  if [ -n "$dry" ]; then
    echo "would delete $name-$date (${size:-0} bytes): $why"
  else
    code=$(ask --output /dev/null --write-out '%{http_code}' --request DELETE -- "$url/$name-$date") || code=000
    case $code in
      200) echo "deleted $name-$date (${size:-0} bytes): $why" ;;
      404) echo "$name-$date is gone already" ;;
      *) fail "$url answered $code to the deletion of $name-$date; $deleted were deleted before it" ;;
    esac
  fi
  total=$((total - ${size:-0})) kept=$((kept - 1)) deleted=$((deleted + 1))
done
said="deleted $deleted, kept $kept with $total bytes"
if [ "$bytes" -gt 0 ] && [ "$total" -gt "$bytes" ]; then said="$said: more than $bytes, but today's index is never deleted"; fi
[ -z "$dry" ] || { echo "dry run: would have $said"; exit 0; }
echo "$said"
printf '%s\n' "$said" >"$state.new"
mv -f -- "$state.new" "$state"
