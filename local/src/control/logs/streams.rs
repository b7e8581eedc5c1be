//! Log streams.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Call, ServiceError, State, Stream, already_exists, group_arn, input, invalid, milliseconds, read,
};
use crate::control::validate::Checks;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
}

impl Named {
    fn checked(&self) -> Result<(&str, &str), ServiceError> {
        let mut checks = Checks::default();
        let group = checks.required("logGroupName", self.log_group_name.as_deref(), &input::GROUP_NAME);
        let stream = checks.required("logStreamName", self.log_stream_name.as_deref(), &input::STREAM_NAME);
        checks.finish(input::INVALID)?;
        Ok((group, stream))
    }
}

pub(super) fn create(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Named = read(call)?;
    let (group, stream) = sent.checked()?;
    let group = state.group(group)?;
    if group.streams.get(stream).is_some() {
        return Err(already_exists("The specified log stream already exists"));
    }
    group.streams.insert(stream.to_owned(), Stream::new(milliseconds(call.now)));
    Ok(None)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Named = read(call)?;
    let (group, stream) = sent.checked()?;
    let group = state.group(group)?;
    group.stream(stream)?;
    group.streams.remove(stream);
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) fn describe(state: &mut State, call: &Call) -> Result<Option<Value>, ServiceError> {
    let sent: Describe = read(call)?;
    let group_name =
        input::either_name(sent.log_group_name.as_deref(), sent.log_group_identifier.as_deref())?;
    let mut checks = Checks::default();
    let prefix =
        checks.optional("logStreamNamePrefix", sent.log_stream_name_prefix.as_deref(), &input::STREAM_NAME);
    let order = checks.word("orderBy", sent.order_by.as_deref(), &["LogStreamName", "LastEventTime"]);
    let most = input::described(&mut checks, sent.limit, call);
    checks.optional("nextToken", sent.next_token.as_deref(), &input::NEXT_TOKEN);
    checks.finish(input::INVALID)?;
    let by_time = order == Some("LastEventTime");
    if by_time && prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let streams = state.group(group_name)?.streams.by_name();
    let mut found: Vec<(&String, &Stream)> =
        streams.iter().filter(|(name, _)| prefix.is_none_or(|prefix| name.starts_with(prefix))).collect();
    let last_time = |stream: &Stream| stream.events().last().map(|event| event.time_ms);
    if by_time {
        found.sort_by_key(|(_, stream)| last_time(stream));
    }
    if sent.descending == Some(true) {
        found.reverse();
    }
    let arn = group_arn(call, group_name);
    // The order is the caller's, so a page's token holds a place in it rather than a name.
    let keyed = found
        .iter()
        .enumerate()
        .map(|(place, (name, stream))| (format!("{place:020}"), shown(&arn, name, stream)));
    let page = input::one_page(keyed, sent.next_token.as_deref(), most)?;
    let mut answer = json!({ "logStreams": page.entries });
    if let Some(next) = page.next {
        answer["nextToken"] = next.into();
    }
    Ok(Some(answer))
}

fn shown(group_arn: &str, name: &str, stream: &Stream) -> Value {
    let mut shown = json!({
        "logStreamName": name,
        "creationTime": stream.created_ms,
        "arn": format!("{group_arn}:log-stream:{name}"),
        // Always 0 since June 2019. Source: LogStream of the API Reference.
        "storedBytes": 0,
    });
    if let (Some(first), Some(last)) = (stream.events().first(), stream.events().last()) {
        shown["firstEventTimestamp"] = first.time_ms.into();
        shown["lastEventTimestamp"] = last.time_ms.into();
    }
    if let Some(moment) = stream.last_ingestion_ms {
        shown["lastIngestionTime"] = moment.into();
    }
    shown
}
