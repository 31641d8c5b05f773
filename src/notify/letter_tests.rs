//! What letters say, in every form, whatever people and CRMs write into them.

use super::*;

fn rendered(letter: &Letter) -> Rendered {
    letter.render(Templates::shipped(), "k").unwrap()
}

fn dispute(change: impl FnOnce(&mut Dispute)) -> Letter {
    let Some(Letter::Dispute(mut dispute)) = samples().into_iter().next() else { panic!("the first sample") };
    change(&mut dispute);
    Letter::Dispute(dispute)
}

#[test]
fn a_dispute_says_what_is_disputed_why_until_when_and_how_to_decide() {
    let said = rendered(&dispute(|_| {}));
    for form in [&said.text, &said.html, &said.blocks.to_string()] {
        for says in [
            "Zoë Ünal",
            "Breached: Accept or reject",
            "no phone number",
            "2027-01-06 09:00 EST",
            "1 of 3",
            "it goes to the manager.",
            "leadpact dispute decide 0197f3a0-0000-7000-8000-000000000000",
        ] {
            assert!(form.contains(says), "{says}: {form}");
        }
    }
    assert!(said.subject.contains("Zoë Ünal"), "{}", said.subject);
}

#[test]
fn what_people_and_crms_write_cannot_leave_its_place() {
    let said = rendered(&dispute(|d| {
        d.record.name = "<img src=x onerror=alert(1)>".to_owned();
        d.record.url = Some("javascript:alert(1)".to_owned());
        d.why = "<!channel> a\nSubject: b <b>".to_owned();
        d.by = "*x*\r\n</p>".to_owned();
    }));
    assert!(!said.html.contains("<img") && !said.html.contains("javascript:"), "{}", said.html);
    assert!(!said.html.contains("<!channel>") && !said.html.contains("x*\r\n</p>"), "{}", said.html);
    let blocks = said.blocks.to_string();
    assert!(!blocks.contains("<!channel>") && !blocks.contains("javascript:"), "{blocks}");
    assert!(!said.subject.contains('\n'));
}

#[test]
fn an_attestation_asks_one_question_and_names_what_silence_means() {
    for letter in samples().iter().filter(|l| matches!(l, Letter::Attestation(_))) {
        let said = rendered(letter);
        for form in [&said.text, &said.html, &said.blocks.to_string()] {
            for says in ["New product briefing", "2027-03", "counts as missed", "leadpact attest"] {
                assert!(form.contains(says), "{says}: {form}");
            }
        }
    }
}

#[test]
fn a_paper_keeps_slacks_limits_and_never_cuts_a_link() {
    let line = Line {
        link: Some(("https://crm.example/?a=1&b=|".to_owned(), "A|<!here>".to_owned())),
        text: "due & late".to_owned(),
    };
    let sections = vec![Section { heading: "Leads <at> risk".to_owned(), lines: vec![line; 200] }; 60];
    let paper = Paper { subject: "s\nt".to_owned(), text: String::new(), html: String::new(), sections };
    let said = paper.rendered("k");
    assert_eq!(said.subject, "s t");
    let blocks = said.blocks.as_array().unwrap();
    assert!(blocks.len() <= 50, "{}", blocks.len());
    for block in blocks.iter().filter(|b| b["type"] == "section") {
        let text = block["text"]["text"].as_str().unwrap();
        assert!(text.encode_utf16().count() <= 3_000);
        assert!(!text.contains("<!here>") && text.contains("Leads &lt;at&gt; risk"), "{text}");
        assert_eq!(text.matches("<https").count(), text.matches('>').count(), "{text}");
        assert!(text.contains(" more"), "what has no room is counted");
    }
}

#[test]
fn plain_paragraphs_cannot_become_markup() {
    let paragraphs = vec!["<!channel> & <b>Zoë</b>".to_owned()];
    let said = Paper::plain("Held\r\nBcc: x".into(), "Too many.".into(), paragraphs).rendered("k");
    assert_eq!(said.subject, "Held Bcc: x");
    assert_eq!(said.text, "Too many.\n\n<!channel> & <b>Zoë</b>\n");
    assert_eq!(said.html, "<p>Too many.</p>\n<p>&lt;!channel&gt; &amp; &lt;b&gt;Zoë&lt;/b&gt;</p>\n");
    assert!(said.blocks[1]["text"]["text"].as_str().unwrap().contains("&lt;!channel&gt; &amp; &lt;b&gt;Zoë&lt;/b&gt;"));
}
