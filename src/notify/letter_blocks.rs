//! Slack's blocks of letters and of papers in sections. What comes from a CRM or was typed by
//! people is escaped here, once, and Slack's limits are kept.

use super::blocks::{context, field, header, mrkdwn};
use super::letter::{Attestation, Dispute, Journal, Letter, Line, Paper, Section};
use super::text;
use serde_json::{Value, json};

/// A section's text, below Slack's 3,000 characters.
const TEXT: usize = 2_800;
/// Of the 50 blocks that a message may have, those for sections.
const SECTIONS: usize = 45;
const NAME: usize = 300;

/// `subject` and `plain` are what the letter's template made of it.
pub fn of(letter: &Letter, subject: &str, plain: &str) -> Value {
    match letter {
        Letter::Dispute(dispute) => of_dispute(dispute),
        Letter::Attestation(attestation) => of_attestation(attestation),
        Letter::Journal(journal) => of_journal(journal),
        Letter::Agreement(_) | Letter::Renewal(_) => {
            json!([header(subject), { "type": "section", "text": mrkdwn(&text::slack(plain.trim(), TEXT)) }])
        }
    }
}

fn of_dispute(dispute: &Dispute) -> Value {
    let record = &dispute.record;
    let name = match &record.url {
        Some(url) => text::slack_link(url, &record.name, NAME),
        None => text::slack(&record.name, NAME),
    };
    let says = format!("*{name}*\n{}\n\n>{}", text::slack(&dispute.fact, 900), text::slack(&dispute.why, 1_200));
    let fields = [
        field("Disputed by", &dispute.by),
        field("Decide by", &dispute.deadline),
        field("Blamed", dispute.party.as_deref().unwrap_or("nobody")),
        field("Step", &format!("{} of {}", dispute.step, dispute.steps)),
    ];
    json!([
        header("A dispute needs your decision"),
        json!({ "type": "section", "text": mrkdwn(&says), "fields": fields }),
        context(&format!("If nobody decides, {}", dispute.next)),
        context(&format!("leadpact dispute decide {} --verdict upheld|dismissed --by NAME --why TEXT", dispute.id)),
    ])
}

fn of_attestation(promise: &Attestation) -> Value {
    let says = format!("*{}*\nWas this done in {}?", text::slack(&promise.commitment, 900), promise.period);
    let fields = [
        field("Promised by", &promise.by),
        field("Promised to", &promise.to),
        field("Attest by", &promise.deadline),
        field("If nobody does", "it counts as missed"),
    ];
    json!([
        header("A promise wants to be attested"),
        json!({ "type": "section", "text": mrkdwn(&says), "fields": fields }),
        context(&format!(
            "leadpact attest \"{}\" --period {} --by NAME --answer yes|no",
            promise.commitment, promise.period
        )),
    ])
}

fn of_journal(journal: &Journal) -> Value {
    let says = format!("*{}*\n`{}:{}`", text::slack(&journal.connection, NAME), journal.seq, journal.hash);
    json!([
        header("The journal's newest hash"),
        json!({ "type": "section", "text": mrkdwn(&says) }),
        context("Keep this message: it shows a journal whose end was cut off or that was written anew."),
    ])
}

/// A header, and a section each; what Slack has no room for is counted.
pub fn of_paper(paper: &Paper) -> Value {
    let mut blocks = vec![header(&text::line(&paper.subject))];
    blocks.extend(paper.sections.iter().take(SECTIONS).map(section));
    let more = paper.sections.len().saturating_sub(SECTIONS);
    if more > 0 {
        blocks.push(context(&format!("and {more} more parts")));
    }
    Value::Array(blocks)
}

/// Lines are dropped whole where they would not fit, so that no link is cut.
fn section(section: &Section) -> Value {
    let mut says = format!("*{}*", text::slack(&text::line(&section.heading), NAME));
    let mut left = section.lines.len();
    for line in section.lines.iter().map(line) {
        if says.encode_utf16().count() + line.encode_utf16().count() > TEXT {
            says.push_str(&format!("\nand {left} more"));
            break;
        }
        says.push('\n');
        says.push_str(&line);
        left -= 1;
    }
    json!({ "type": "section", "text": mrkdwn(&says) })
}

fn line(line: &Line) -> String {
    let says = text::slack(&text::line(&line.text), 700);
    match &line.link {
        Some((url, label)) => match text::web_address(url).filter(|url| url.len() < 1_000) {
            Some(url) => format!("• *{}* {says}", text::slack_link(&url, &text::line(label), NAME)),
            None => format!("• *{}* {says}", text::slack(&text::line(label), NAME)),
        },
        None => format!("• {says}"),
    }
}
