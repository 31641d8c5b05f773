//! Writes Salesforce's metadata: elements in the order they are given, every text escaped.

use quick_xml::escape::escape;
use std::fmt::Write;

/// The namespace of every root element.
pub(super) const METADATA: &str = "http://soap.sforce.com/2006/04/metadata";

/// A document that is being written.
pub(super) struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    /// A whole document of this root.
    pub fn document(root: &str, body: impl FnOnce(&mut Xml)) -> String {
        let mut xml = Xml { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), depth: 1 };
        xml.push(format_args!("<{root} xmlns=\"{METADATA}\">\n"));
        body(&mut xml);
        xml.push(format_args!("</{root}>\n"));
        xml.text
    }

    /// `<name>text</name>`
    pub fn element(&mut self, name: &str, text: impl AsRef<str>) -> &mut Self {
        let text = legal(text.as_ref());
        let indent = "    ".repeat(self.depth);
        self.push(format_args!("{indent}<{name}>{}</{name}>\n", escape(&text)));
        self
    }

    /// An element of elements.
    pub fn group(&mut self, name: &str, body: impl FnOnce(&mut Xml)) -> &mut Self {
        let indent = "    ".repeat(self.depth);
        self.push(format_args!("{indent}<{name}>\n"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.push(format_args!("{indent}</{name}>\n"));
        self
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a String takes everything");
    }
}

/// XML knows no other control characters than these three, escaped or not.
fn legal(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !['\n', '\r', '\t'].contains(&c) { ' ' } else { c }).collect()
}
