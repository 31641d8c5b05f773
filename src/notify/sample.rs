//! A made-up item: templates are tried on it when they are loaded, so that an operator hears of a
//! mistake at start and not at the first breach.

use super::{Answers, Item, RecordItem};
use crate::record::effect::Notice;

/// An item that says everything an item can say.
pub fn item(notice: Notice) -> Item {
    Item {
        notice,
        record: RecordItem {
            name: "Zoë Ünal".to_owned(),
            url: Some("https://crm.example/leads/8842".to_owned()),
            object: "lead".to_owned(),
            company: Some("Blåbær".to_owned()),
            stage: Some("mql".to_owned()),
        },
        clock: "Accept or reject".to_owned(),
        handoff: Some("Marketing to teleprospecting".to_owned()),
        party: "teleprospecting".to_owned(),
        owner: Some("Ann Bee".to_owned()),
        deadline: Some("2027-01-05 09:00 EST".to_owned()),
        relative: Some("in 30 minutes".to_owned()),
        missing: vec!["amount".to_owned(), "close_date".to_owned()],
        next: Some("it goes back to teleprospecting on 2027-01-06 09:00 EST.".to_owned()),
        receiver: Some("Kim Cho".to_owned()),
        answers: Answers::default(),
    }
}

/// An item that says as little as it may.
pub fn bare(notice: Notice) -> Item {
    Item {
        record: RecordItem { url: None, company: None, stage: None, ..item(notice).record },
        handoff: None,
        owner: None,
        deadline: None,
        relative: None,
        missing: Vec::new(),
        next: None,
        receiver: None,
        ..item(notice)
    }
}
