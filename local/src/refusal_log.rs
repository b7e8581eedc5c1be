//! Who refused a device, and why: what AWS hides, by trace id.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::state_directory::StateDirectory;

/// The most entries kept in memory; the oldest go first.
pub const ENTRIES_MAX: usize = 10_000;
/// The log file is started afresh when it is larger than this.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What a request chose of one entry's text; the rest is cut off.
const TEXT_BYTES_MAX: usize = 1024;

/// The log file of a state directory.
const FILE: &str = "log.jsonl";

/// Who said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The gateway: no authorizer, no token, a bad signature, no permission to invoke, a bad request.
    Gateway,
    /// The authorizer: its Lambda denied, failed, or answered what AWS does not take.
    Authorizer,
    /// The policy that the authorizer returned.
    Policy,
    /// The broker, which a test told to lose messages. The device is not told.
    Broker,
}

/// Makes the closed list of causes, each with its stable name and what it means.
macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $cause:ident,)+) => {
        /// What became of a device's request. The names, in snake case, never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Why {
            $($(#[doc = $doc])+ $cause,)+
        }

        impl Why {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)+];
        }
    };
}

causes! {
    /// Nobody refused: the message was given to the broker.
    Delivered,
    /// The broker lost the message, as ordered.
    Dropped,
    /// Nothing is at this path.
    UnknownPath,
    /// Only POST publishes.
    MethodNotAllowed,
    /// The topic, a parameter or a header is not what AWS IoT takes.
    InvalidRequest,
    /// The payload is over 128 KB.
    PayloadTooLarge,
    /// The server name or Host is no data endpoint of this target.
    UnknownEndpoint,
    /// No authorizer is named, no default would take the request, and it has no token.
    NoCredentials,
    /// A credential was sent twice, with different values.
    AmbiguousCredentials,
    /// No authorizer of this name, or no default.
    UnknownAuthorizer,
    /// The authorizer is INACTIVE.
    InactiveAuthorizer,
    /// There is no token under the authorizer's token key name.
    MissingToken,
    /// Signing is enabled, and there is no token signature.
    MissingTokenSignature,
    /// No registered key made this signature over this token.
    BadTokenSignature,
    /// AWS IoT may not invoke the function for this authorizer.
    MissingInvokePermission,
    /// The function cannot be run: it is missing, pending, throttled, or lost its role.
    FunctionUnavailable,
    /// The function reported an error.
    FunctionError,
    /// The function's process could not start, or ended before it answered.
    FunctionCrash,
    /// The function did not answer within the limit of an authorizer call.
    FunctionTimeout,
    /// The function's answer, or a policy in it, is not what AWS IoT takes.
    MalformedAnswer,
    /// The authorizer answered that the device is not authenticated; `reason` has its own word for it.
    DeniedByAuthorizer,
    /// The authorizer accepted the device, and its policies do not allow this action.
    DeniedByPolicy,
}

impl Why {
    /// The stable name, such as `bad_token_signature`.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// One decision about one device request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since 1970 by the target's clock.
    pub at_ms: u64,
    /// The trace id of the answer.
    pub trace_id: String,
    /// The Region, as far as the endpoint's name told it.
    pub region: Option<String>,
    /// Who refused; `None` when nobody did.
    pub who: Option<Who>,
    /// The cause.
    pub why: Why,
    /// The authorizer's own word for a denial, from the line that it logged, such as `expired`.
    pub reason: Option<String>,
    /// A sentence for a person. Never holds a token, a signature or a secret.
    pub detail: String,
    /// The authorizer's name, when one was found.
    pub authorizer: Option<String>,
    /// The topic or client id that was asked for.
    pub subject: Option<String>,
    /// How often the authorizer's Lambda ran for this request.
    pub invocations: u32,
}

/// The log: the last entries in memory, all of them in `log.jsonl` where there is a state directory.
#[derive(Debug, Default)]
pub struct RefusalLog {
    entries: Mutex<VecDeque<Entry>>,
    directory: Option<StateDirectory>,
}

impl RefusalLog {
    /// A log that is kept in memory, and appended to `log.jsonl` when there is a directory.
    pub fn new(directory: Option<StateDirectory>) -> Self {
        Self { entries: Mutex::default(), directory }
    }

    /// Records `entry`. A log file that cannot be written loses the line, never the answer.
    pub fn record(&self, mut entry: Entry) {
        // A stranger chooses them: they must not push out what others were told.
        cut(&mut entry.detail);
        if let Some(subject) = &mut entry.subject {
            cut(subject);
        }
        let mut entries = self.lock();
        if let Some(directory) = &self.directory {
            let _ = append(directory, &entry);
        }
        if entries.len() == ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The entry of this trace id, which an earlier process may have written.
    pub fn find(&self, trace_id: &str) -> Option<Entry> {
        let known = self.lock().iter().rev().find(|entry| entry.trace_id == trace_id).cloned();
        known.or_else(|| self.find_in_file(trace_id))
    }

    fn find_in_file(&self, trace_id: &str) -> Option<Entry> {
        newest_first(&self.file()?).find(|entry| entry.trace_id == trace_id)
    }

    /// The last entries, oldest first, at most `most`; earlier processes may have written some of them.
    pub fn last(&self, most: usize) -> Vec<Entry> {
        let entries = self.lock();
        let known: Vec<Entry> = entries.iter().skip(entries.len().saturating_sub(most)).cloned().collect();
        drop(entries);
        if known.len() < most
            && let Some(written) = self.file()
        {
            let mut written: Vec<Entry> = newest_first(&written).take(most).collect();
            written.reverse();
            // A file that could not be written lacks the newest.
            if written.len() >= known.len() {
                return written;
            }
        }
        known
    }

    fn file(&self) -> Option<bytes::Bytes> {
        self.directory.as_ref()?.read(FILE).ok()?
    }

    /// Forgets everything.
    pub fn clear(&self) -> std::io::Result<()> {
        self.lock().clear();
        self.directory.as_ref().map_or(Ok(()), |directory| directory.remove(FILE))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entries of a log file. A line that a kill cut short is no entry.
fn newest_first(written: &[u8]) -> impl Iterator<Item = Entry> {
    written.rsplit(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// Cuts a text to [`TEXT_BYTES_MAX`], and marks that.
fn cut(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('…');
    }
}

fn append(directory: &StateDirectory, entry: &Entry) -> std::io::Result<()> {
    let mut file = directory.append(FILE, FILE_BYTES_MAX)?;
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entry(trace_id: &str) -> Entry {
        Entry {
            at_ms: 1,
            trace_id: trace_id.to_owned(),
            region: None,
            who: Some(Who::Policy),
            why: Why::DeniedByPolicy,
            reason: None,
            detail: String::new(),
            authorizer: None,
            subject: None,
            invocations: 1,
        }
    }

    #[test]
    fn an_entry_of_an_earlier_process_is_found() {
        let place = tempfile::tempdir().unwrap();
        let directory = StateDirectory::open(place.path(), "test", Duration::ZERO).unwrap();
        let log = || RefusalLog::new(Some(directory.clone()));
        log().record(entry("one"));
        log().record(entry("two"));
        let cut_short = [b"{\"at_ms\":".as_slice()].concat();
        directory.append(FILE, FILE_BYTES_MAX).unwrap().write_all(&cut_short).unwrap();
        assert_eq!(log().find("one"), Some(entry("one")));
        assert_eq!(log().find("three"), None);
        assert_eq!(log().last(9), [entry("one"), entry("two")]);
        assert_eq!(log().last(1), [entry("two")]);
        log().clear().unwrap();
        assert_eq!(log().find("one"), None);
    }

    #[test]
    fn a_stranger_cannot_fill_it_with_long_texts() {
        let log = RefusalLog::new(None);
        let text = "ä".repeat(TEXT_BYTES_MAX);
        log.record(Entry { detail: text.clone(), subject: Some(text), ..entry("long") });
        let cut = format!("{}…", "ä".repeat(TEXT_BYTES_MAX / 2));
        let found = log.find("long").unwrap();
        assert_eq!((&found.detail, found.subject.as_ref()), (&cut, Some(&cut)));
    }

    #[test]
    fn a_log_in_memory_is_bounded() {
        let log = RefusalLog::new(None);
        for number in 0..=ENTRIES_MAX {
            log.record(entry(&number.to_string()));
        }
        assert_eq!(log.find("0"), None);
        assert_eq!(log.last(ENTRIES_MAX * 2).len(), ENTRIES_MAX);
        assert_eq!(log.last(1), [entry("10000")]);
    }
}
