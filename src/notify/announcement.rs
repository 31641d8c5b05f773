//! A message that concerns no record: plain words for people, in every form that a channel may want.
//! Notices about records are made by templates, not here.

use super::{Destination, Notifiers, NotifyError, Rendered, text};
use serde_json::json;

/// Slack's limits for a header and a section.
const HEADER: usize = 150;
const SECTION: usize = 3_000;

/// What is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The same announcement has the same key.
    pub key: String,
    pub subject: String,
    /// Paragraphs of plain text.
    pub paragraphs: Vec<String>,
}

impl Announcement {
    fn rendered(&self) -> Rendered {
        let subject = text::line(&self.subject);
        let mut blocks = vec![json!({
            "type": "header",
            "text": { "type": "plain_text", "text": text::cut(&subject, HEADER), "emoji": false },
        })];
        blocks.extend(self.paragraphs.iter().map(|p| {
            let said = text::slack(p, SECTION);
            json!({ "type": "section", "text": { "type": "mrkdwn", "text": said, "verbatim": true } })
        }));
        let html: String = self.paragraphs.iter().map(|p| format!("<p>{}</p>\n", escape(p))).collect();
        Rendered {
            key: self.key.clone(),
            text: format!("{}\n", self.paragraphs.join("\n\n")),
            html,
            blocks: blocks.into(),
            subject,
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Notifiers {
    /// Sends an announcement once and answers what names it.
    ///
    /// # Errors
    /// As [`Notifiers::send`].
    pub async fn announce(&self, to: &Destination, said: &Announcement) -> Result<String, NotifyError> {
        self.post(to, &said.rendered()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_cannot_become_markup() {
        let said = Announcement {
            key: "k".into(),
            subject: "Held\r\nBcc: x".into(),
            paragraphs: vec!["<!channel> & <b>Zoë</b>".into()],
        };
        let rendered = said.rendered();
        assert_eq!(rendered.subject, "Held Bcc: x");
        assert_eq!(rendered.text, "<!channel> & <b>Zoë</b>\n");
        assert_eq!(rendered.html, "<p>&lt;!channel&gt; &amp; &lt;b&gt;Zoë&lt;/b&gt;</p>\n");
        assert_eq!(rendered.blocks[1]["text"]["text"], "&lt;!channel&gt; &amp; &lt;b&gt;Zoë&lt;/b&gt;");
    }
}
