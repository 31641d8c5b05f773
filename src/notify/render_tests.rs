//! What the shipped templates say, and what no template may let through.
use super::*;
use crate::notify::templates::NOTICES;
use crate::notify::{Answers, Destination, Link, Reason};

fn said(items: Vec<Item>) -> Rendered {
    let message = Message { key: "k".to_owned(), to: Destination::SlackChannel("#x".to_owned()), items };
    render(Templates::shipped(), &message).unwrap()
}

fn check(item: Item, subject: &str, text: &str) {
    let said = said(vec![item]);
    assert_eq!(said.subject, subject);
    assert_eq!(said.text, text);
}

/// An item after its deadline, as a breach and what follows it have it.
fn late(notice: Notice) -> Item {
    Item { relative: Some("2h 5m ago".to_owned()), missing: Vec::new(), ..sample::item(notice) }
}

#[test]
fn a_reminder_says_who_which_lead_what_was_promised_by_when_and_what_follows() {
    check(
        Item { missing: Vec::new(), ..sample::item(Notice::Reminder) },
        "Due in 30 minutes: Zoë Ünal (Blåbær) — Accept or reject",
        "Zoë Ünal (Blåbær) is waiting for Ann Bee.

Promised: Accept or reject (Marketing to teleprospecting)
Due:      2027-01-05 09:00 EST, in 30 minutes
Owner:    Ann Bee
Party:    teleprospecting
Open it:  https://crm.example/leads/8842

If nothing is done, it goes back to teleprospecting on 2027-01-06 09:00 EST.
",
    );
}

#[test]
fn a_reminder_can_say_little() {
    check(
        sample::bare(Notice::Reminder),
        "Due soon: Zoë Ünal — Accept or reject",
        "Zoë Ünal is waiting for teleprospecting.

Promised: Accept or reject
Owner:    nobody yet
Party:    teleprospecting
",
    );
}

#[test]
fn a_breach_says_since_when() {
    check(
        late(Notice::Breach),
        "Overdue: Zoë Ünal (Blåbær) — Accept or reject",
        "Zoë Ünal (Blåbær) is still waiting for Ann Bee, and the promised time has passed.

Promised: Accept or reject (Marketing to teleprospecting)
Due:      2027-01-05 09:00 EST, 2h 5m ago
Owner:    Ann Bee
Party:    teleprospecting
Open it:  https://crm.example/leads/8842

If nothing is done, it goes back to teleprospecting on 2027-01-06 09:00 EST.
",
    );
}

#[test]
fn a_move_says_why_and_who_has_it_now() {
    let moved = |notice| Item { next: None, handoff: None, ..late(notice) };
    let facts = "Promised: Accept or reject
Due:      2027-01-05 09:00 EST, 2h 5m ago
Now with: Kim Cho
Party:    teleprospecting
Open it:  https://crm.example/leads/8842
";
    let recycled = "Zoë Ünal (Blåbær) went back to Kim Cho, because “Accept or reject” was not done in time. \
                    It has been moved already; there is nothing to do by hand.";
    check(moved(Notice::Recycled), "Back to Kim Cho: Zoë Ünal (Blåbær)", &format!("{recycled}\n\n{facts}"));
    let reassigned = "Zoë Ünal (Blåbær) is now with Kim Cho, because “Accept or reject” was not done in time. \
                      Please take it from here, Kim Cho.";
    check(moved(Notice::Reassigned), "Now with Kim Cho: Zoë Ünal (Blåbær)", &format!("{reassigned}\n\n{facts}"));
    let nurtured = "Zoë Ünal (Blåbær) moved to nurture, because “Accept or reject” was not done in time. \
                    Marketing keeps the conversation alive; there is nothing to do by hand.";
    check(moved(Notice::Nurtured), "Moved to nurture: Zoë Ünal (Blåbær)", &format!("{nurtured}\n\n{facts}"));
}

#[test]
fn a_violation_says_what_is_missing() {
    let clock = "Value and timeframe of an opportunity".to_owned();
    check(
        Item { clock, handoff: None, next: None, ..sample::item(Notice::Violation) },
        "Missing amount, close_date: Zoë Ünal (Blåbær) — Value and timeframe of an opportunity",
        "Zoë Ünal (Blåbær) still needs amount, close_date. Fill it in on the record and this clears by itself.

Missing:  amount, close_date
Promised: Value and timeframe of an opportunity
Due:      2027-01-05 09:00 EST, in 30 minutes
Owner:    Ann Bee
Party:    teleprospecting
Open it:  https://crm.example/leads/8842
",
    );
}

#[test]
fn many_items_are_one_message_that_lists_twenty() {
    let items: Vec<Item> = (0..37)
        .map(|n| {
            let mut item = Item { next: None, ..late(Notice::Breach) };
            item.record.name = format!("Lead {n}");
            item
        })
        .collect();
    let said = said(items);
    assert_eq!(said.subject, "37 leads need you");
    let first = "37 leads need you.

- Lead 0 (Blåbær): Accept or reject, was due 2027-01-05 09:00 EST, 2h 5m ago
  https://crm.example/leads/8842
- Lead 1 (Blåbær)";
    assert!(said.text.starts_with(first), "{}", said.text);
    assert!(said.text.contains("- Lead 19 ") && !said.text.contains("- Lead 20 "));
    assert!(said.text.ends_with("\n\nand 17 more.\n"), "{}", said.text);
    assert!(said.html.contains("and 17 more.") && said.html.matches("<li ").count() == 20);
    let blocks = said.blocks.as_array().unwrap();
    assert_eq!(blocks.len(), 22);
    assert_eq!(blocks[0]["text"]["text"], "37 leads need you");
    assert_eq!(
        blocks[1]["text"]["text"],
        "*<https://crm.example/leads/8842|Lead 0>* (Blåbær)\n\
         Accept or reject, was due 2027-01-05 09:00 EST, 2h 5m ago"
    );
    assert_eq!(blocks[21]["elements"][0]["text"], "and 17 more");
}

#[test]
fn html_links_the_record_and_escapes_what_the_crm_says() {
    let mut item = sample::item(Notice::Breach);
    item.record.name = "<script>alert(1)</script>".to_owned();
    item.record.company = Some("A & \"B\" <b>".to_owned());
    item.owner = Some("<img src=x onerror=y>".to_owned());
    item.missing = vec!["<i>".to_owned()];
    for html in [said(vec![item.clone()]).html, said(vec![item.clone(), item.clone()]).html] {
        for bad in ["<script", "<b>", "<img", "<i>", "&amp;amp;", "&amp;lt;"] {
            assert!(!html.contains(bad), "{bad} in {html}");
        }
        assert!(html.contains("A &amp; &quot;B&quot; &lt;b&gt;"), "{html}");
        assert!(html.contains(r#"<a href="https:&#x2f;&#x2f;crm.example&#x2f;leads&#x2f;8842""#), "{html}");
    }
}

#[test]
fn a_link_that_is_no_web_address_is_left_out() {
    let mut item = sample::item(Notice::Breach);
    item.record.url = Some("javascript:alert(1)".to_owned());
    let said = said(vec![item]);
    let all = format!("{}{}{}", said.text, said.html, said.blocks);
    assert!(!all.contains("javascript"), "{all}");
}

#[test]
fn blocks_name_owner_due_clock_and_party_and_what_happens_next() {
    let said = said(vec![late(Notice::Breach)]);
    assert_eq!(
        said.blocks,
        serde_json::json!([
            { "type": "header", "text": { "type": "plain_text", "text": "Overdue: Accept or reject", "emoji": false } },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "text": "*<https://crm.example/leads/8842|Zoë Ünal>* (Blåbær) \
                             is still waiting for Ann Bee, and the promised time has passed.",
                    "verbatim": true,
                },
                "fields": [
                    { "type": "mrkdwn", "text": "*Owner*\nAnn Bee", "verbatim": true },
                    { "type": "mrkdwn", "text": "*Due*\n2027-01-05 09:00 EST, 2h 5m ago", "verbatim": true },
                    {
                        "type": "mrkdwn",
                        "text": "*Clock*\nAccept or reject (Marketing to teleprospecting)",
                        "verbatim": true,
                    },
                    { "type": "mrkdwn", "text": "*Party*\nteleprospecting", "verbatim": true },
                ],
            },
            {
                "type": "context",
                "elements": [{
                    "type": "mrkdwn",
                    "text": "If nothing is done, it goes back to teleprospecting on 2027-01-06 09:00 EST.",
                    "verbatim": true,
                }],
            },
        ])
    );
}

/// Every text that a CRM or an agreement can fill, filled.
fn filled(notice: Notice, text: &str) -> Item {
    Item {
        notice,
        record: RecordItem {
            name: text.to_owned(),
            url: Some(format!("https://crm.example/{text}")),
            object: "lead".to_owned(),
            company: Some(text.to_owned()),
            stage: Some(text.to_owned()),
        },
        clock: text.to_owned(),
        handoff: Some(text.to_owned()),
        party: text.to_owned(),
        owner: Some(text.to_owned()),
        deadline: Some(text.to_owned()),
        relative: Some(text.to_owned()),
        missing: vec![text.to_owned(); 30],
        next: Some(text.to_owned()),
        receiver: Some(text.to_owned()),
        answers: Answers {
            button: Some("acme.word".to_owned()),
            accept: true,
            reasons: vec![Reason { mark: "a1b2".to_owned(), text: text.to_owned() }; 30],
            on_it: true,
            snooze: Some("1 business hour".to_owned()),
            links: vec![Link { label: text.to_owned(), url: "https://leadpact.example/answer/x".to_owned() }],
            preferences: Some("https://leadpact.example/preferences/x".to_owned()),
        },
    }
}

#[test]
fn blocks_keep_slacks_limits_whatever_a_record_says() {
    for text in ["&".repeat(9_000), "😀<".repeat(5_000), "a ".repeat(900), String::new()] {
        for notice in NOTICES {
            for count in [1, 2, 21] {
                within_limits(&said(vec![filled(notice, &text); count]).blocks);
            }
        }
    }
}

fn within_limits(blocks: &serde_json::Value) {
    let length = |text: &serde_json::Value| text["text"].as_str().unwrap().encode_utf16().count();
    let blocks = blocks.as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()));
    for block in blocks {
        let none = Vec::new();
        let fields = block["fields"].as_array().unwrap_or(&none);
        assert!(fields.len() <= 10 && fields.iter().all(|field| (1..=2_000).contains(&length(field))));
        let elements = block["elements"].as_array().unwrap_or(&none);
        if block["type"] == "actions" {
            assert!((1..=25).contains(&elements.len()));
            elements.iter().for_each(an_element_within_limits);
            continue;
        }
        if !block["accessory"].is_null() {
            an_element_within_limits(&block["accessory"]);
        }
        assert!(elements.len() <= 10 && elements.iter().all(|text| (1..=3_000).contains(&length(text))));
        match block["type"].as_str().unwrap() {
            "header" => assert!((1..=150).contains(&length(&block["text"]))),
            "section" => assert!((1..=3_000).contains(&length(&block["text"]))),
            "context" => assert!(!elements.is_empty()),
            other => panic!("{other}"),
        }
    }
}

/// Buttons and menus, by Slack's block reference.
fn an_element_within_limits(element: &serde_json::Value) {
    let fits = |text: &serde_json::Value, most| (1..=most).contains(&text.as_str().unwrap().encode_utf16().count());
    let most = match element["type"].as_str().unwrap() {
        "button" => {
            assert!(fits(&element["text"]["text"], 75) && fits(&element["value"], 2_000));
            return;
        }
        "static_select" => 100,
        other => panic!("{other}"),
    };
    let options = element["options"].as_array().unwrap();
    assert!((1..=most).contains(&options.len()));
    assert!(options.iter().all(|o| fits(&o["text"]["text"], 75) && fits(&o["value"], 150)), "{options:?}");
}

#[test]
fn a_notice_that_can_be_answered_says_how_in_every_form() {
    let said = said(vec![filled(Notice::Reminder, "too far")]);
    let answers: Vec<_> = said.blocks.as_array().unwrap().iter().filter(|b| b["block_id"] == "leadpact").collect();
    let ids: Vec<_> = answers[0]["elements"].as_array().unwrap().iter().map(|e| e["action_id"].clone()).collect();
    assert_eq!(ids, ["accept", "reject", "on_it", "snooze"]);
    assert_eq!(answers[0]["elements"][1]["options"][0]["value"], "acme.word:a1b2");
    // The template engine escapes slashes too.
    for text in [said.text, said.html.replace("&#x2f;", "/")] {
        assert!(text.contains("https://leadpact.example/answer/x"), "{text}");
        assert!(text.contains("https://leadpact.example/preferences/x"), "{text}");
    }
}

#[test]
fn each_of_several_notices_can_be_answered_in_every_form_too() {
    let said = said(vec![filled(Notice::Reminder, "too far"); 2]);
    let menu = &said.blocks[1]["accessory"]["options"];
    let values: Vec<_> = menu.as_array().unwrap().iter().take(4).map(|o| o["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["acme.word:accept", "acme.word:on_it", "acme.word:snooze", "acme.word:reject-a1b2"]);
    for text in [said.text, said.html.replace("&#x2f;", "/")] {
        assert_eq!(text.matches("https://leadpact.example/answer/x").count(), 2, "{text}");
    }
}

#[test]
fn a_task_title_is_one_line_of_the_agreements_words_and_the_records() {
    let mut item = sample::item(Notice::Breach);
    let title = |item: &Item| task_title("Accept or reject {{ record.name }}", item).unwrap();
    assert_eq!(title(&item), "Accept or reject Zoë Ünal");
    item.record.name = "<b> & \r\nBcc: {{ 7 * 7 }}".to_owned();
    assert_eq!(title(&item), "Accept or reject <b> & Bcc: {{ 7 * 7 }}");
    item.record.name = "x".repeat(9_000);
    assert!(title(&item).chars().count() <= 255);
}

#[test]
fn a_wrong_task_title_is_found_before_it_is_needed() {
    check_title("{{ record.name }} ({{ record.company }}), {{ owner }}").unwrap();
    for bad in [
        "{{ record.nmae }}",
        "{{ record.name",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    ] {
        let error = check_title(bad).unwrap_err();
        assert!(error.file.starts_with("title"), "{error}");
    }
}

#[test]
fn a_message_without_items_is_refused() {
    let message = Message { key: "k".to_owned(), to: Destination::SlackChannel("#x".to_owned()), items: Vec::new() };
    render(Templates::shipped(), &message).unwrap_err();
}
