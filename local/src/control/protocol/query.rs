//! awsQuery (IAM, STS): a form goes in, XML comes out.
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::Response;
use crate::control::ServiceError;

/// The parameters of a call. Reading one that was sent twice gives the last.
#[derive(Debug)]
pub(crate) struct Form {
    parameters: BTreeMap<String, String>,
}

impl Form {
    /// Reads the body, and the query string that may carry parameters too.
    pub(crate) fn read(query: &[(String, String)], body: &Bytes) -> Self {
        let in_body = form_urlencoded::parse(body).into_owned();
        Self { parameters: query.iter().cloned().chain(in_body).collect() }
    }

    /// The operation that is asked for, in this version of the service. Refusals: "Common Errors" of the
    /// IAM API Reference.
    pub(crate) fn action(&self, version: &str) -> Result<&str, ServiceError> {
        match self.get("Version") {
            Some(asked) if asked != version => {
                let text = format!("The requested version ({asked}) of the service does not exist");
                Err(ServiceError::new(400, "NoSuchVersion", text))
            }
            _ => self.get("Action").ok_or_else(|| {
                ServiceError::new(
                    400,
                    "MissingAction",
                    "The request is missing an action or operation parameter",
                )
            }),
        }
    }

    /// A whole number, when it was sent.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, ServiceError> {
        let malformed = |_| {
            // As real awsQuery services answer a number that is none.
            ServiceError::new(400, "MalformedInput", format!("Invalid value for {name}: not a number"))
        };
        self.get(name).map(str::parse).transpose().map_err(malformed)
    }

    /// A parameter, when it was sent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// Whether a parameter, list or structure was sent, even an empty one.
    pub(crate) fn has(&self, name: &str) -> bool {
        let inner = format!("{name}.");
        self.parameters.keys().any(|key| key == name || key.starts_with(&inner))
    }

    /// The structures of a list such as `Tags.member.1.Key`: the values of `fields` for each member.
    pub(crate) fn structures<const FIELDS: usize>(
        &self,
        list: &str,
        fields: [&str; FIELDS],
    ) -> Vec<[Option<&str>; FIELDS]> {
        let mut found = Vec::new();
        loop {
            let prefix = format!("{list}.member.{}", found.len() + 1);
            let values = fields.map(|field| self.get(&format!("{prefix}.{field}")));
            if values.iter().all(Option::is_none) {
                return found;
            }
            found.push(values);
        }
    }

    /// The strings of a list such as `TagKeys.member.1`.
    pub(crate) fn strings(&self, list: &str) -> Vec<&str> {
        (1..).map_while(|number| self.get(&format!("{list}.member.{number}"))).collect()
    }
}

/// XML text under construction.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// `<name>value</name>`, escaped.
    pub(crate) fn leaf(&mut self, name: &str, value: &str) {
        self.open(name);
        self.text.push_str(&escaped(value));
        self.close(name);
    }

    /// An element with children.
    pub(crate) fn element(&mut self, name: &str, children: impl FnOnce(&mut Self)) {
        self.open(name);
        children(self);
        self.close(name);
    }

    fn open(&mut self, name: &str) {
        self.text.extend(["<", name, ">"]);
    }

    fn close(&mut self, name: &str) {
        self.text.extend(["</", name, ">"]);
    }
}

/// A successful answer; `result` is `None` for an operation without output.
pub(crate) fn answer(namespace: &str, operation: &str, request_id: &str, result: Option<Xml>) -> Response {
    let result = result
        .map_or_else(String::new, |Xml { text }| format!("<{operation}Result>{text}</{operation}Result>"));
    xml_answer(
        200,
        &format!(
            "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}\
             </RequestId></ResponseMetadata></{operation}Response>\n"
        ),
    )
}

/// There is no such operation.
pub(crate) fn unknown_action(action: &str, version: &str) -> ServiceError {
    let text = format!("Could not find operation {action} for version {version}");
    ServiceError::new(400, "InvalidAction", text)
}

/// The answer to a refused call.
pub(crate) fn error(namespace: &str, request_id: &str, error: &ServiceError) -> Response {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let mut members = Xml::default();
    members.leaf("Type", kind);
    members.leaf("Code", error.code);
    members.leaf("Message", &error.message);
    for (name, value) in &error.members {
        members.leaf(name, value);
    }
    let text = members.text;
    xml_answer(
        error.status,
        &format!(
            "<ErrorResponse xmlns=\"{namespace}\"><Error>{text}</Error><RequestId>{request_id}</RequestId>\
             </ErrorResponse>\n"
        ),
    )
}

fn xml_answer(status: u16, text: &str) -> Response {
    crate::answer(status, "text/xml", text.as_bytes().to_vec())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\r' => safe.push_str("&#13;"),
            // XML 1.0 has no place for other control characters, not even escaped.
            control if control.is_control() && !matches!(control, '\t' | '\n') => safe.push('\u{fffd}'),
            plain => safe.push(plain),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_order_until_the_first_gap() {
        let body = "Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=b&Tags.member.4.Key=d\
                    &TagKeys.member.1=x&TagKeys.member.2=y%20z";
        let form = Form::read(&[], &Bytes::from_static(body.as_bytes()));
        assert_eq!(form.structures("Tags", ["Key", "Value"]), [[Some("a"), Some("1")], [Some("b"), None]]);
        assert_eq!(form.strings("TagKeys"), ["x", "y z"]);
    }

    #[test]
    fn text_is_escaped() {
        let mut xml = Xml::default();
        xml.leaf("Description", "<&\">\u{1}\r");
        assert_eq!(xml.text, "<Description>&lt;&amp;&quot;&gt;\u{fffd}&#13;</Description>");
    }
}
