# The container that answers the tasks of a host: its first process, and what answers one request. It needs busybox.
#
# /data is in memory, and filled by the lines of the standard input: m/ID and c/ID are the documents of a container and
# the credentials of a task, one JSON document a line and `end` in the last; a/NUMBER is the answer to a request that was
# passed on, by a line on the output of the container. Nobody learns of an ID here who does not know it.
umask 077
set -f

put() { # a path and a content, as often as wanted: each whole or not at all
    while [ $# -ge 2 ]; do
        printf '%s' "$2" | base64 -d | gunzip -c >/data/new && mv /data/new "/data/$1" || return
        shift 2
    done
}

case $1 in
serve)
    [ -e /begun ] && exit 1 # a restart would find /data empty, and nobody would know
    : >/begun && mkdir -p /data/m /data/c /data/a && ip addr add 169.254.170.2/32 dev lo || exit 1
    printf '%s' "$2" >/answer
    while :; do
        nc -ll -p 80 -e /bin/sh /answer
        sleep 1
    done &
    while sleep 60; do
        find /data/a -type f -mmin +2 -delete
        find /data/m /data/c -type f -exec grep -lx gone {} + | xargs -r rm -f
    done &
    while read -r word number files; do
        [ "$word" = put ] && put $files && echo "ok $number"
    done
    exit
    ;;
limited) exec 2>/dev/null ;;
*) exec timeout 100 /bin/sh /answer limited ;;
esac

reply() { # status, words, document
    printf 'HTTP/1.1 %s %s\r\nContent-Type: application/json\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' \
        "$1" "$2" "${#3}" "$3"
    exit
}

fail() { # status, words
    reply "$1" "$2" "{\"error\":\"$2\"}"
}

is_whole() { # a file that is there, to its end
    [ -f "$1" ] && [ "$(tail -n 1 "$1")" = end ]
}

await() { # a file with documents, which soon after the start of a task may be on its way
    tries=0
    until is_whole "$1"; do
        tries=$((tries + 1))
        [ $tries -le 15 ] && ! grep -qx gone "$1" || fail 404 'Not Found'
        sleep 0.1
    done
}

show() { # file, line
    await "$1"
    reply 200 OK "$(sed -n "$2p" "$1")"
}

ask() { # what: lets somebody answer who can
    await "$documents"
    number=$(date +%s)-$$
    echo "ask $number $id $method $1 $body" >/proc/1/fd/1
    tries=0
    until is_whole "/data/a/$number"; do
        tries=$((tries + 1))
        if [ $tries -gt 650 ]; then
            echo "done $number" >/proc/1/fd/1
            reply 504 'Gateway Timeout' "$(sed -n 6p "$documents")"
        fi
        sleep 0.1
    done
    echo "done $number" >/proc/1/fd/1
    answer=/data/a/$number
    status=$(sed -n 1p "$answer") found=$(sed -n 2p "$answer")
    rm -f "$answer"
    reply "$status" Answered "$found"
}

end=$(printf '\r')
IFS=' ' read -r -t 10 -n 500 method url version || exit
case $version in HTTP/1.[01]"$end") ;; *) fail 400 'Bad Request' ;; esac
length=0 lines=0
while IFS= read -r -t 10 -n 8000 line && [ "$line" != "$end" ]; do
    lines=$((lines + 1))
    [ $lines -le 100 ] || fail 431 'Request Header Fields Too Large'
    case $line in [Cc]ontent-[Ll]ength:*) length=$(printf '%s' "${line#*:}" | tr -d ' \t\r') ;; esac
done
case $length in '' | *[!0-9]* | ?????*) fail 413 'Content Too Large' ;; esac
body=
[ "$length" -eq 0 ] || body=$(timeout 10 head -c "$length" | base64 | tr -d '\n')

url=${url%%\?*}
url=${url%/}
case $url in
/v3/*) kind=v3 rest=${url#/v3/} ;;
/v4/*) kind=v4 rest=${url#/v4/} ;;
/v2/credentials/*) kind=credentials rest=${url#/v2/credentials/} ;;
/api/*) kind=api rest=${url#/api/} ;;
*) fail 404 'Not Found' ;;
esac
id=${rest%%/*}
what=${rest#"$id"}
case $id in '' | *[!0-9a-f-]* | ?????????????????????????????????????????*) fail 404 'Not Found' ;; esac
documents=/data/m/$id
case $method:$kind$what in
GET:credentials) show "/data/c/$id" 1 ;;
GET:v4) show "$documents" 1 ;;
GET:v4/task) show "$documents" 2 ;;
GET:v4/taskWithTags) show "$documents" 3 ;;
GET:v3) show "$documents" 4 ;;
GET:v3/task | GET:v3/taskWithTags) show "$documents" 5 ;;
GET:v[34]/stats) ask stats ;;
GET:v[34]/task/stats) ask task/stats ;;
GET:api/task-protection/v1/state | PUT:api/task-protection/v1/state) ask protection ;;
GET:* | PUT:*) fail 404 'Not Found' ;;
*) fail 405 'Method Not Allowed' ;;
esac
