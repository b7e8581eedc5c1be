#!/bin/bash
# A custom authorizer whose token says how to behave; what it sees is told by the topic that it allows.
PATH=/usr/local/bin:/usr/bin:/bin
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  headers=$(mktemp)
  event=$(curl -sS -D "$headers" "$api/invocation/next") || exit 1
  id=$(tr -d '\r' <"$headers" | grep -i '^lambda-runtime-aws-request-id:' | cut -d' ' -f2)
  rm -f "$headers"
  case=none signature=removed
  [[ $event == *'"x-amz-customauthorizer-name"'* ]] && case=lower
  [[ $event == *'"X-Amz-Customauthorizer-Name"'* || $event == *'"X-Amz-CustomAuthorizer-Name"'* ]] && case=capitalised
  [[ ${event,,} == *'"x-amz-customauthorizer-signature"'* ]] && signature=kept
  allowed=true
  answer=
  case "$event" in
    *'"token":"error"'*)
      curl -sS -X POST -d '{"errorMessage":"asked for","errorType":"Asked"}' "$api/invocation/$id/error" >/dev/null
      continue ;;
    *'"token":"slow"'*) sleep 6 ;;
    *'"token":"odd"'*) answer='{"isAuthenticated":"perhaps"}' ;;
    *'"token":"no"'*) allowed=false ;;
  esac
  [ -n "$answer" ] || answer='{"isAuthenticated":'$allowed',"principalId":"probe","disconnectAfterInSeconds":300,"refreshAfterInSeconds":300,"policyDocuments":["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":[\"'$PROBE_TOPICS/$case-$signature'\",\"'$PROBE_TOPICS'/any\"]}]}"]}'
  curl -sS -X POST -d "$answer" "$api/invocation/$id/response" >/dev/null
done
