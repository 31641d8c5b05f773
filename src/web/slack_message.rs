//! A message in Slack after somebody answered it: which of its buttons are left, and what was said. What
//! this process saw decided is remembered, since each click brings the message as it looked when it was
//! clicked: of two clicks the later one must not bring back what the earlier one took away.

use crate::engine::answers::Choice;
use crate::notify::ACTIONS_BLOCK;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// More messages than this are forgotten.
const REMEMBERED: usize = 10_000;
/// What begins the id of a block that tells what was decided.
const DECIDED: &str = "leadpact-decided";
/// Most characters of a line, which escaping makes five times as many, and most bytes of all: Slack takes 3,000
/// characters. What was said last stays.
const LINE: usize = 500;
const TEXT: usize = 2_800;

/// A message as Slack brings it with a click.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    blocks: Vec<Value>,
    text: String,
}

/// Something that was said about what stands behind a button's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Names the answer.
    pub id: String,
    pub choice: Choice,
    pub text: String,
}

/// What was said to each word that this process saw.
#[derive(Default)]
pub(super) struct Decisions(Mutex<HashMap<String, Vec<Line>>>);

impl Decisions {
    /// Says it, in the place of what the same answer said before.
    pub fn say(&self, word: &str, line: Line) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(word) {
            all.clear();
        }
        let lines = all.entry(word.to_owned()).or_default();
        match lines.iter_mut().find(|known| known.id == line.id) {
            Some(known) => *known = line,
            None => lines.push(line),
        }
    }

    /// Takes back what that answer said. Answers what others said.
    pub fn take_back(&self, word: &str, id: &str) -> Vec<Line> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = all.entry(word.to_owned()).or_default();
        lines.retain(|line| line.id != id);
        lines.clone()
    }

    fn of(&self, word: &str) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(word).cloned().unwrap_or_default()
    }

    /// The message with all that was said to it. `failed`: why an answer to `word` came to nothing.
    pub fn redrawn(&self, message: &Message, word: &str, failed: Option<&str>) -> Value {
        let words: Vec<&str> = message.blocks.iter().filter_map(word_of).collect();
        let mut blocks = Vec::new();
        for block in &message.blocks {
            let id = block["block_id"].as_str().unwrap_or_default();
            if let Some(of) = word_of(block) {
                let lines = self.of(of);
                blocks.extend(what_is_left(block, &lines));
                blocks.extend(told(of, &lines, failed.filter(|_| of == word)));
            } else if !words.iter().any(|of| decided_id(of) == id) {
                // What was decided is said anew beside its buttons, where these are still there.
                blocks.push(self.decided_again(id).unwrap_or_else(|| block.clone()));
            }
        }
        if !words.contains(&word) {
            blocks.retain(|block| block["block_id"] != decided_id(word).as_str());
            blocks.extend(told(word, &self.of(word), failed));
        }
        json!({ "replace_original": true, "text": message.text, "blocks": blocks })
    }

    /// A block that tells of a decision, with what is known by now.
    fn decided_again(&self, id: &str) -> Option<Value> {
        if !id.starts_with(DECIDED) {
            return None;
        }
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, lines) = all.iter().find(|(word, _)| decided_id(word) == id)?;
        told(word, lines, None)
    }
}

/// The word behind a block's buttons or its menu.
fn word_of(block: &Value) -> Option<&str> {
    let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_actions = block["block_id"] == ACTIONS_BLOCK;
    let mut all = elements.iter().filter(|_| is_actions).chain(block.get("accessory"));
    all.find_map(|element| {
        let option = element["options"][0]["value"].as_str().and_then(|value| value.rsplit_once(':')).map(|(w, _)| w);
        element["value"].as_str().or(option)
    })
}

fn decided_id(word: &str) -> String {
    format!("{DECIDED}-{}", hex::encode(&Sha256::digest(word.as_bytes())[..6]))
}

/// The block without the buttons that were used; without any once it was decided.
fn what_is_left(block: &Value, lines: &[Line]) -> Option<Value> {
    let used = |name: &str| lines.iter().any(|line| name_of(&line.choice) == name);
    let over = used("accept") || used("reject");
    let mut block = block.clone();
    if block["block_id"] == ACTIONS_BLOCK {
        let elements = block["elements"].as_array_mut()?;
        elements.retain(|element| !over && !used(element["action_id"].as_str().unwrap_or_default()));
        return (!elements.is_empty()).then_some(block);
    }
    let name = |option: &Value| option["value"].as_str().and_then(|v| v.rsplit_once(':')).map(|(_, n)| n.to_owned());
    if let Some(options) = block["accessory"]["options"].as_array_mut() {
        options.retain(|option| !over && !used(&name(option).unwrap_or_default()));
        if options.is_empty() {
            block.as_object_mut()?.remove("accessory");
        }
    }
    Some(block)
}

/// The name of the button that gives this answer.
fn name_of(choice: &Choice) -> &'static str {
    match choice {
        Choice::Accept => "accept",
        Choice::Reject(_) => "reject",
        Choice::OnIt => "on_it",
        Choice::Snooze => "snooze",
    }
}

fn told(word: &str, lines: &[Line], failed: Option<&str>) -> Option<Value> {
    let cut = |text: &str| escaped(&text.chars().take(LINE).collect::<String>());
    let mut said: Vec<String> = lines.iter().map(|line| line.text.as_str()).chain(failed).map(cut).collect();
    // Whoever pressed twice said it once.
    said.dedup();
    while said.len() > 1 && said.iter().map(String::len).sum::<usize>() > TEXT {
        said.remove(0);
    }
    let text = json!({ "type": "mrkdwn", "text": said.join("\n"), "verbatim": true });
    (!said.is_empty()).then(|| json!({ "type": "context", "block_id": decided_id(word), "elements": [text] }))
}

/// A text in which Slack finds no markup.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(action: &str) -> Value {
        json!({ "type": "button", "action_id": action, "value": "c.w" })
    }

    fn single() -> Message {
        let reject = json!({ "type": "static_select", "action_id": "reject", "options": [{ "value": "c.w:1a" }] });
        let elements = [button("accept"), reject, button("on_it"), button("snooze")];
        let blocks = vec![
            json!({ "type": "header" }),
            json!({ "type": "actions", "block_id": ACTIONS_BLOCK, "elements": elements }),
            json!({ "type": "context", "elements": [] }),
        ];
        Message { blocks, text: "x".to_owned() }
    }

    fn bundle() -> Message {
        let option = |word: &str, name: &str| json!({ "value": format!("{word}:{name}") });
        let row = |word: &str| {
            let options = [option(word, "accept"), option(word, "on_it")];
            json!({ "type": "section", "accessory": { "type": "overflow", "action_id": "menu", "options": options } })
        };
        Message { blocks: vec![json!({ "type": "header" }), row("c.a"), row("c.b")], text: "x".to_owned() }
    }

    fn line(id: &str, choice: Choice, text: &str) -> Line {
        Line { id: id.to_owned(), choice, text: text.to_owned() }
    }

    /// What of a message can still be pressed, and what it says was decided.
    fn seen(message: &Value) -> String {
        let element = |e: &Value| e["action_id"].as_str().unwrap_or_default().to_owned();
        let of = |block: &Value| match block["type"].as_str().unwrap_or_default() {
            "actions" => block["elements"].as_array().unwrap().iter().map(element).collect::<Vec<_>>().join(" "),
            "section" => block["accessory"]["options"].as_array().map_or(0, Vec::len).to_string(),
            "context" => block["elements"][0]["text"].as_str().unwrap_or("-").to_owned(),
            other => other.to_owned(),
        };
        message["blocks"].as_array().unwrap().iter().map(of).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn what_decides_takes_all_buttons_and_anything_else_its_own_alone() {
        let decisions = Decisions::default();
        decisions.say("c.w", line("1", Choice::OnIt, "Pat is on it."));
        assert_eq!(
            seen(&decisions.redrawn(&single(), "c.w", None)),
            "header | accept reject snooze | Pat is on it. | -"
        );
        decisions.say("c.w", line("2", Choice::Accept, "Accepted & <b>."));
        let says = "header | Pat is on it.\nAccepted &amp; &lt;b&gt;. | -";
        assert_eq!(seen(&decisions.redrawn(&single(), "c.w", None)), says);
    }

    #[test]
    fn an_answer_that_came_to_nothing_gives_the_buttons_back_unless_another_one_stands() {
        let decisions = Decisions::default();
        decisions.say("c.w", line("1", Choice::Accept, "Accepted by Pat."));
        decisions.say("c.w", line("2", Choice::Reject("m".to_owned()), "Rejected by Kim."));
        assert_eq!(decisions.take_back("c.w", "2").len(), 1);
        assert_eq!(seen(&decisions.redrawn(&single(), "c.w", None)), "header | Accepted by Pat. | -");
        assert!(decisions.take_back("c.w", "1").is_empty());
        let failed = decisions.redrawn(&single(), "c.w", Some("The CRM refuses it."));
        assert_eq!(seen(&failed), "header | accept reject on_it snooze | The CRM refuses it. | -");
    }

    #[test]
    fn what_is_said_keeps_slacks_limit_whatever_a_record_is_called() {
        let decisions = Decisions::default();
        for n in 0..30 {
            decisions.say("c.w", line(&n.to_string(), Choice::OnIt, &format!("{n}{}", "&".repeat(9_000))));
        }
        let message = decisions.redrawn(&single(), "c.w", Some("The CRM refuses it."));
        let text = message["blocks"][2]["elements"][0]["text"].as_str().unwrap();
        assert!(text.len() <= 3_000 && text.starts_with("29&amp;") && text.ends_with("The CRM refuses it."), "{text}");
    }

    #[test]
    fn each_lead_of_a_bundle_keeps_its_own_decision_whichever_click_is_told_last() {
        let decisions = Decisions::default();
        decisions.say("c.a", line("1", Choice::Accept, "Ada: being written."));
        let second: Message = serde_json::from_value(decisions.redrawn(&bundle(), "c.a", None)).unwrap();
        decisions.say("c.b", line("2", Choice::OnIt, "Bo: Pat is on it."));
        decisions.say("c.a", line("1", Choice::Accept, "Ada: accepted."));
        let says = "header | 0 | Ada: accepted. | 1 | Bo: Pat is on it.";
        // The first click's message knows nothing of the second, and the second's only how the first began.
        assert_eq!(seen(&decisions.redrawn(&bundle(), "c.a", None)), says);
        assert_eq!(seen(&decisions.redrawn(&second, "c.b", None)), says);
        let bare = decisions.redrawn(&Message::default(), "c.b", None);
        assert_eq!(seen(&bare), "Bo: Pat is on it.", "a message that came without its buttons");
    }
}
