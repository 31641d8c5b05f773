//! `[parties.*]`, `[[review]]`, `[[resolution]]` and `[currency]`: who signs, whom to tell, and when people meet.

use super::context::{Context, PartyHead, Unique, is_email};
use crate::agreement::calendar::parse_days;
use crate::agreement::document::{Reader, Word};
use crate::agreement::model::{Currency, OnHoliday, Party, Period, Resolution, Review, Signatory};
use crate::record::PartyName;
use jiff::civil::Weekday;

/// Names the parties and their calendars; what else they say is read by [`parties`].
pub(super) fn heads<'a>(cx: &mut Context<'a>, tables: &mut [(Word<'a>, Reader<'a>)]) {
    for (name, table) in tables {
        let calendar = table.text("calendar").and_then(|word| cx.calendar(&word));
        cx.parties.push(PartyHead { name: PartyName::new(name.text), calendar });
    }
}

pub(super) fn parties(cx: &Context<'_>, tables: Vec<(Word<'_>, Reader<'_>)>) -> Vec<Party> {
    tables.into_iter().map(|(name, table)| party(cx, &name, table)).collect()
}

fn party(cx: &Context<'_>, name: &Word<'_>, mut r: Reader<'_>) -> Party {
    let name = PartyName::new(name.text);
    let party = Party {
        calendar: cx.parties.iter().find(|p| p.name == name).and_then(|p| p.calendar),
        signs: r.table("signs").and_then(|signs| signatory(cx, signs)),
        manager: r.text("manager").and_then(|word| cx.address(&word)),
        notify: r.texts("notify").iter().filter_map(|word| cx.address(word)).collect(),
        name,
    };
    r.finish();
    party
}

fn signatory(cx: &Context<'_>, mut r: Reader<'_>) -> Option<Signatory> {
    let (name, title, email) = (r.need_text("name"), r.need_text("title"), r.need_text("email"));
    r.finish();
    let email = email?;
    if !is_email(email.text) {
        cx.sink.error_with(email.span.clone(), format!("`{}` is no e-mail address", email.text), "write `name@host`");
    }
    Some(Signatory { name: name?.text.to_owned(), title: title?.text.to_owned(), email: email.text.to_owned() })
}

pub(super) fn reviews<'a>(cx: &Context<'a>, root: &mut Reader<'a>) -> Vec<Review> {
    let mut unique = Unique::new("review");
    root.tables("review", "[[review]]").into_iter().filter_map(|r| review(cx, r, &mut unique)).collect()
}

fn review<'a>(cx: &Context<'a>, mut r: Reader<'a>, unique: &mut Unique<'a>) -> Option<Review> {
    let name = r.need_text("name");
    if let Some(name) = &name {
        unique.check(cx.sink, name);
    }
    let every = r.need_text("every").and_then(|word| period(cx, &word));
    let on = r.text("on").and_then(|word| review_day(cx, &word, every));
    r.need("time");
    let time = r.time("time");
    let on_holiday = r.text("holiday").map_or(Some(OnHoliday::NextOpenDay), |word| holiday(cx, &word));
    let send_to = r.need_texts("send_to").iter().filter_map(|word| cx.address(word)).collect();
    let topics = r.texts("topics").iter().map(|word| word.text.to_owned()).collect();
    r.finish();
    Some(Review {
        name: name?.text.to_owned(),
        every: every?,
        on,
        time: time?.value,
        on_holiday: on_holiday?,
        send_to,
        topics,
    })
}

/// `week`, `month` or `quarter`.
pub(super) fn period(cx: &Context<'_>, word: &Word<'_>) -> Option<Period> {
    match word.text {
        "week" => Some(Period::Week),
        "month" => Some(Period::Month),
        "quarter" => Some(Period::Quarter),
        _ => {
            cx.sink.unknown("period", word, &["week", "month", "quarter"]);
            None
        }
    }
}

fn review_day(cx: &Context<'_>, word: &Word<'_>, every: Option<Period>) -> Option<Weekday> {
    if matches!(every, Some(Period::Month | Period::Quarter)) {
        let message = "`on` names a day of the week, which only a weekly review has";
        cx.sink.error_with(word.span.clone(), message, "leave it out: it is held on the first day of the period");
        return None;
    }
    match parse_days(word.text).as_deref() {
        Ok([day]) => return Some(*day),
        Ok(_) => cx.sink.error_with(word.span.clone(), "a review is held on one day", "write `Mon`"),
        Err(message) => cx.sink.error(word.span.clone(), message.clone()),
    }
    None
}

fn holiday(cx: &Context<'_>, word: &Word<'_>) -> Option<OnHoliday> {
    match word.text {
        "next open day" => Some(OnHoliday::NextOpenDay),
        "skip" => Some(OnHoliday::Skip),
        "anyway" => Some(OnHoliday::Anyway),
        _ => {
            cx.sink.unknown("choice", word, &["next open day", "skip", "anyway"]);
            None
        }
    }
}

pub(super) fn resolutions<'a>(cx: &Context<'a>, root: &mut Reader<'a>) -> Vec<Resolution> {
    root.tables("resolution", "[[resolution]]").into_iter().filter_map(|r| resolution(cx, r)).collect()
}

fn resolution(cx: &Context<'_>, mut r: Reader<'_>) -> Option<Resolution> {
    let within = r.need_text("within");
    let span = within.as_ref().and_then(|word| cx.span(word));
    if let (Some(span), Some(word)) = (span, &within) {
        cx.check_calendar(span, cx.calendar, word.span.clone());
    }
    let who = r.need_texts("who").iter().filter_map(|word| cx.audience(word)).collect();
    r.finish();
    Some(Resolution { within: span?, who })
}

pub(super) fn currency(cx: &Context<'_>, root: &mut Reader<'_>) -> Option<Currency> {
    let mut r = root.table("currency")?;
    let base = r.need_text("base");
    if let Some(base) = &base {
        check_code(cx, base);
    }
    let rates = r.table("rates").map(|rates| rates.entry_numbers()).unwrap_or_default();
    for (code, rate) in &rates {
        check_code(cx, code);
        if rate.value <= 0.0 {
            cx.sink.error(rate.span.clone(), format!("one {} is worth more than nothing", code.text));
        }
    }
    r.finish();
    Some(Currency {
        base: base?.text.to_owned(),
        rates: rates.into_iter().map(|(code, rate)| (code.text.to_owned(), rate.value)).collect(),
    })
}

fn check_code(cx: &Context<'_>, word: &Word<'_>) {
    if word.text.len() != 3 || !word.text.bytes().all(|b| b.is_ascii_uppercase()) {
        let message = format!("`{}` is no currency code", word.text);
        cx.sink.error_with(word.span.clone(), message, "write the three letters of ISO 4217, such as `USD`");
    }
}
