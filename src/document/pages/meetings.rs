//! The fifth slide: when the sides meet and about what, whom a dispute goes to, and what the numbers rest on.

use super::{Arrangement, On, rules};
use crate::agreement::Agreement;
use crate::agreement::model::{NamedCalendar, OnHoliday, Review, Span};
use crate::agreement::span::span_in_words;
use crate::document::block::{Block, Text};
use crate::document::layout::{Columns, Draft, Group, Kind};
use crate::document::{hours, words};

pub(super) fn meetings(agreement: &Agreement, arrangement: Arrangement) -> Draft {
    let mut groups = reviews(agreement);
    groups.push(resolutions(agreement));
    groups.extend(agreement.calendars.iter().map(|calendar| self::calendar(agreement, calendar)));
    groups.push(ground(agreement));
    let rules = rules::on(On::Meetings, agreement, arrangement);
    let title = match (rules.is_empty(), arrangement.mandatory) {
        (true, _) => "Communication plan",
        (false, On::Meetings) => "Communication plan, neglected leads and mandatory fields",
        (false, _) => "Communication plan and neglected leads",
    };
    groups.extend(rules);
    Draft {
        kind: Kind::Slide,
        title: title.to_owned(),
        subtitle: String::new(),
        columns: Columns::Flow(&[2, 3], groups),
    }
}

fn reviews(agreement: &Agreement) -> Vec<Group> {
    if agreement.reviews.is_empty() {
        let blocks = vec![Block::heading(3, "Reviews"), Block::paragraph("No meetings are agreed.")];
        return vec![Group { name: "reviews".to_owned(), blocks }];
    }
    agreement.reviews.iter().map(|review| self::review(agreement, review)).collect()
}

fn review(agreement: &Agreement, review: &Review) -> Group {
    let mut blocks = vec![Block::heading(3, &review.name), Block::paragraph(when(review))];
    if !review.send_to.is_empty() {
        let to: Vec<String> = review.send_to.iter().map(|to| words::recipient(agreement, to)).collect();
        blocks.push(Block::paragraph(format!("The figures go to {}.", words::join(&to, "and"))));
    }
    if !review.topics.is_empty() {
        blocks.push(Block::list(review.topics.clone()));
    }
    Group { name: review.name.clone(), blocks }
}

/// `Every week on Monday at 09:00; on a holiday, on the next open day.`
fn when(review: &Review) -> String {
    let on = match review.on {
        Some(day) if review.every == crate::agreement::model::Period::Week => format!(" on {}", words::weekday(day)),
        Some(day) => format!(", on its first {}", words::weekday(day)),
        None => String::new(),
    };
    let holiday = match review.on_holiday {
        OnHoliday::NextOpenDay => "; on a holiday, on the next open day",
        OnHoliday::Skip => "; not on a holiday",
        OnHoliday::Anyway => "",
    };
    let time = review.time.strftime("%H:%M");
    format!("Every {}{on} at {time}{holiday}.", words::period(review.every))
}

fn resolutions(agreement: &Agreement) -> Group {
    let heading = Block::heading(3, "When we disagree");
    let body = if agreement.resolutions.is_empty() {
        Block::paragraph("No steps are agreed.")
    } else {
        let item = |step: &crate::agreement::model::Resolution| {
            let who = words::capital(&words::audience(agreement, &step.who, None));
            let verb = if step.who.len() == 1 { "decides" } else { "decide" };
            Text::plain(format!("{who} {verb} within {}.", span_in_words(step.within)))
        };
        Block::List { ordered: true, items: agreement.resolutions.iter().map(item).collect() }
    };
    Group { name: "conflict-resolution steps".to_owned(), blocks: vec![heading, body] }
}

fn calendar(agreement: &Agreement, calendar: &NamedCalendar) -> Group {
    let zone = calendar.calendar.zone().iana_name().unwrap_or("UTC");
    let mut items: Vec<String> = hours::hours(&calendar.calendar, agreement.effective, agreement.review_by)
        .into_iter()
        .map(|said| format!("{said}."))
        .collect();
    items[0] = format!("{} ({zone} time).", items[0].trim_end_matches('.'));
    let title = format!("Business hours ({})", calendar.name);
    Group { name: title.clone(), blocks: vec![Block::heading(3, title), Block::list(items)] }
}

/// The small print.
fn ground(agreement: &Agreement) -> Group {
    let mut said = Vec::new();
    said.extend(agreement.currency.as_ref().map(|currency| {
        let base = &currency.base;
        let rates: Vec<String> =
            currency.rates.iter().map(|(code, rate)| format!("1 {code} = {rate} {base}")).collect();
        let at = if rates.is_empty() { String::new() } else { format!(": {}", words::join(&rates, "and")) };
        format!("Amounts are compared and summed in {base}{at}.")
    }));
    if agreement.settle.as_millis() > 0 {
        let settle = span_in_words(Span::Elapsed(agreement.settle));
        said.push(format!("What a form lacks is judged {settle} after it was saved."));
    }
    said.push(if agreement.apply_to_open {
        "A new version changes the deadlines that are running.".to_owned()
    } else {
        "A new version leaves the deadlines that are running as they are.".to_owned()
    });
    let blocks = vec![Block::heading(3, "Figures and versions"), Block::list(said)];
    Group { name: "currency and versions".to_owned(), blocks }
}
