//! Business calendars as promises, and against an oracle that asks the wall clock of every single minute.
//! What the hours' text and iCalendar files may look like is tested beside the code that reads them.

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use leadpact::agreement::calendar::{Calendar, CalendarSpec, holidays_from_ics, parse_days, parse_range};
use leadpact::agreement::span::{after, before, counted_between, parse_span, share_of};
use leadpact::record::{Elapsed, Timestamp};

#[path = "calendar/oracle.rs"]
mod oracle;

/// A calendar of this zone with these hours.
fn spec(zone: &str, hours: &[(&str, &[&str])]) -> CalendarSpec {
    let mut spec = CalendarSpec { zone: zone.into(), ..Default::default() };
    for (days, ranges) in hours {
        let ranges: Vec<_> = ranges.iter().map(|text| parse_range(text).expect(text)).collect();
        spec.set_hours(&parse_days(days).expect(days), &ranges).expect("each day once");
    }
    spec
}

fn calendar(zone: &str, hours: &[(&str, &[&str])]) -> Calendar {
    Calendar::compile(&spec(zone, hours)).expect("a sound calendar")
}

/// The calendar of the reference agreement: a split shift, a short Friday, three holidays and an extra Saturday.
fn boston() -> Calendar {
    let mut spec = spec("America/New_York", &[("mon-thu", &["09:00-12:30", "13:15-18:00"]), ("fri", &["09:00-16:00"])]);
    spec.holidays = vec![date(2027, 1, 1), date(2027, 1, 18), date(2027, 5, 31)];
    spec.extra_days.insert(date(2027, 1, 9), vec![parse_range("10:00-14:00").expect("a range")]);
    Calendar::compile(&spec).expect("a sound calendar")
}

/// A wall time in the calendar's zone, or with an offset where the wall time comes twice.
fn at(calendar: &Calendar, wall: &str) -> Timestamp {
    if let Ok(moment) = wall.parse::<jiff::Timestamp>() {
        return Timestamp::from_jiff(moment);
    }
    let wall: DateTime = wall.parse().expect(wall);
    Timestamp::from_jiff(calendar.zone().to_timestamp(wall).expect("a moment"))
}

fn show(calendar: &Calendar, t: Timestamp) -> String {
    t.to_jiff().to_zoned(calendar.zone().clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `span` (with `-` for before) from one wall time leads to the other.
#[track_caller]
fn check(calendar: &Calendar, from: &str, span: &str, expected: &str) {
    let start = at(calendar, from);
    let moment = match span.strip_prefix('-') {
        Some(span) => before(Some(calendar), start, parse_span(span).expect(span)),
        None => after(Some(calendar), start, parse_span(span).expect(span)),
    };
    assert_eq!(show(calendar, moment), show(calendar, at(calendar, expected)), "{span} from {from}");
}

#[test]
fn a_split_shift_leaves_out_the_lunch_break() {
    check(&boston(), "2027-01-05T12:00", "2bh", "2027-01-05T14:45");
    check(&boston(), "2027-01-05T12:45", "1bh", "2027-01-05T14:15");
}

#[test]
fn a_deadline_that_falls_on_closing_time_stays_there() {
    check(&boston(), "2027-01-05T09:00", "210bm", "2027-01-05T12:30");
    check(&boston(), "2027-01-05T16:00", "2bh", "2027-01-05T18:00");
}

#[test]
fn closing_time_itself_is_open_and_the_millisecond_after_is_not() {
    let calendar = boston();
    let closing = at(&calendar, "2027-01-05T18:00");
    assert!(calendar.is_open(closing) && calendar.is_open(at(&calendar, "2027-01-05T09:00")));
    assert!(!calendar.is_open(closing + Elapsed::from_millis(1)));
    assert!(!calendar.is_open(at(&calendar, "2027-01-05T09:00") - Elapsed::from_millis(1)));
    assert_eq!(calendar.next_open(closing), closing);
    check(&calendar, "2027-01-05T18:00", "1m", "2027-01-05T18:01");
    check(&calendar, "2027-01-05T18:00", "1bm", "2027-01-06T09:01");
}

#[test]
fn what_arrives_on_friday_evening_counts_from_monday_morning() {
    let calendar = calendar("America/New_York", &[("mon-fri", &["09:00-17:00"])]);
    check(&calendar, "2027-03-05T18:30", "2bh", "2027-03-08T11:00");
    check(&calendar, "2027-03-05T18:30", "0bh", "2027-03-08T09:00");
    check(&calendar, "2027-03-05T16:00", "2bh", "2027-03-08T10:00");
}

#[test]
fn counting_back_stops_at_the_opening_and_skips_the_night() {
    check(&boston(), "2027-01-06T09:30", "-30bm", "2027-01-06T09:00");
    check(&boston(), "2027-01-06T09:30", "-1bh", "2027-01-05T17:30");
    check(&boston(), "2027-01-09T20:00", "-1bh", "2027-01-09T13:00");
}

#[test]
fn a_holiday_is_closed_and_no_business_day() {
    check(&boston(), "2027-01-15T15:00", "2bh", "2027-01-19T10:00");
    check(&boston(), "2027-01-15T15:00", "1bd", "2027-01-19T15:00");
    let calendar = boston();
    assert!(!calendar.is_open_day(date(2027, 1, 18)) && calendar.is_open_day(date(2027, 1, 19)));
}

#[test]
fn holidays_of_an_icalendar_file_close_the_calendar() {
    let file = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Summer break\r\n\
                DTSTART;VALUE=DATE:20270705\r\nDTEND;VALUE=DATE:20270708\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let mut spec = spec("Europe/Berlin", &[("mon-fri", &["09:00-17:00"])]);
    spec.holidays = holidays_from_ics(file).expect("a readable file");
    let calendar = Calendar::compile(&spec).expect("a sound calendar");
    check(&calendar, "2027-07-02T16:00", "2bh", "2027-07-08T10:00");
}

#[test]
fn an_extra_day_is_open_at_its_own_hours() {
    check(&boston(), "2027-01-08T15:30", "1bh", "2027-01-09T10:30");
    check(&boston(), "2027-01-08T12:00", "1bd", "2027-01-09T12:00");
    check(&boston(), "2027-01-08T15:30", "2bd", "2027-01-11T15:30");
}

#[test]
fn an_extra_day_goes_before_a_holiday_and_the_weekday() {
    let mut spec = spec("UTC", &[("mon-fri", &["09:00-17:00"])]);
    spec.holidays = vec![date(2027, 1, 4)];
    spec.extra_days.insert(date(2027, 1, 4), vec![parse_range("10:00-11:00").expect("a range")]);
    let calendar = Calendar::compile(&spec).expect("a sound calendar");
    check(&calendar, "2027-01-04T09:00", "90bm", "2027-01-05T09:30");
}

#[test]
fn a_business_day_is_the_same_wall_time_on_the_next_open_day() {
    check(&boston(), "2027-01-12T10:20", "1bd", "2027-01-13T10:20");
    check(&boston(), "2027-01-14T10:20", "2bd", "2027-01-19T10:20");
    check(&boston(), "2027-01-19T10:20", "-2bd", "2027-01-14T10:20");
}

#[test]
fn a_business_day_that_ends_in_closed_time_ends_at_the_next_opening() {
    check(&boston(), "2027-01-12T12:45", "1bd", "2027-01-13T13:15");
    check(&boston(), "2027-01-12T20:00", "1bd", "2027-01-14T09:00");
    check(&boston(), "2027-01-21T16:30", "1bd", "2027-01-25T09:00");
    check(&boston(), "2027-01-21T16:00", "1bd", "2027-01-22T16:00");
}

#[test]
fn a_start_on_a_closed_day_keeps_its_wall_time_and_is_not_counted() {
    check(&boston(), "2027-01-16T11:00", "1bd", "2027-01-19T11:00");
    check(&boston(), "2027-01-17T22:00", "1bd", "2027-01-20T09:00");
    check(&boston(), "2027-01-17T11:00", "-1bd", "2027-01-15T11:00");
    check(&boston(), "2027-01-17T11:00", "0bd", "2027-01-19T09:00");
}

#[test]
fn midnight_at_the_end_of_a_day_joins_the_next() {
    let calendar = calendar("Europe/Berlin", &[("fri", &["22:00-24:00"]), ("sat", &["00:00-04:00"])]);
    check(&calendar, "2027-01-08T23:00", "2bh", "2027-01-09T01:00");
    check(&calendar, "2027-01-09T03:00", "2bh", "2027-01-15T23:00");
    check(&calendar, "2027-01-09T03:00", "-4bh", "2027-01-08T23:00");
    check(&calendar, "2027-01-08T23:00", "1bd", "2027-01-15T22:00");
}

#[test]
fn around_the_clock_open_time_is_elapsed_time() {
    let calendar = calendar("America/New_York", &[("mon-sun", &["00:00-24:00"])]);
    let (a, b) = (at(&calendar, "2026-10-01T12:34:56"), at(&calendar, "2027-04-01T01:02:03"));
    assert_eq!(calendar.open_between(a, b), b - a);
    assert_eq!(calendar.add_open(a, b - a), b);
}

#[test]
fn a_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn() {
    let calendar = calendar("America/New_York", &[("sun", &["01:00-05:00"])]);
    let open_on = |day: &str| {
        let midnight = at(&calendar, &format!("{day}T00:00"));
        calendar.open_between(midnight, midnight + Elapsed::from_secs(12 * 3600))
    };
    assert_eq!(open_on("2027-03-07"), Elapsed::from_secs(4 * 3600));
    assert_eq!(open_on("2027-03-14"), Elapsed::from_secs(3 * 3600));
    assert_eq!(open_on("2026-11-01"), Elapsed::from_secs(5 * 3600));
}

#[test]
fn a_range_within_the_hour_that_spring_skips_has_no_time_and_autumn_doubles_it() {
    let skipped = calendar("America/New_York", &[("sun", &["02:15-02:45"])]);
    check(&skipped, "2027-03-13T12:00", "1bm", "2027-03-21T02:16");
    check(&skipped, "2027-03-07T02:15", "1bd", "2027-03-21T02:15");
    let doubled = calendar("America/New_York", &[("sun", &["01:15-01:45"])]);
    check(&doubled, "2026-11-01T00:00", "40bm", "2026-11-01T01:25:00-05:00");
}

#[test]
fn a_business_day_to_a_wall_time_that_spring_skips_ends_as_much_later() {
    let calendar = calendar("Europe/Berlin", &[("mon-sun", &["00:00-24:00"])]);
    check(&calendar, "2027-03-27T02:30", "1bd", "2027-03-28T03:30");
    check(&calendar, "2027-10-30T02:30", "1bd", "2027-10-31T02:30:00+02:00");
    let lord_howe = self::calendar("Australia/Lord_Howe", &[("mon-sun", &["00:00-24:00"])]);
    check(&lord_howe, "2026-10-03T02:10", "1bd", "2026-10-04T02:40");
}

#[test]
fn a_day_that_the_zone_left_out_is_no_business_day() {
    let calendar = calendar("Pacific/Apia", &[("mon-sun", &["09:00-17:00"])]);
    assert!(!calendar.is_open_day(date(2011, 12, 30)));
    check(&calendar, "2011-12-29T12:00", "1bd", "2011-12-31T12:00");
    check(&calendar, "2011-12-29T16:00", "2bh", "2011-12-31T10:00");
}

#[test]
fn a_share_is_counted_as_its_clock_counts() {
    let calendar = boston();
    let (start, deadline) = (at(&calendar, "2027-01-05T17:00"), at(&calendar, "2027-01-06T12:00"));
    let share =
        |span, share| show(&calendar, share_of(Some(&calendar), parse_span(span).unwrap(), start, deadline, share));
    assert_eq!(share("4bh", 0.5), "2027-01-06T10:00:00-05:00");
    assert_eq!(share("4bh", 0.25), "2027-01-05T18:00:00-05:00");
    assert_eq!(share("1bd", 0.75), "2027-01-06T11:00:00-05:00");
    assert_eq!(share("19h", 0.5), "2027-01-06T02:30:00-05:00");
    assert_eq!(share("4bh", 1.0), "2027-01-06T12:00:00-05:00");
    assert_eq!(counted_between(Some(&calendar), true, start, deadline), Elapsed::from_secs(4 * 3600));
    assert_eq!(counted_between(Some(&calendar), false, start, deadline), Elapsed::from_secs(19 * 3600));
}

#[test]
fn the_whole_share_of_a_day_that_ends_at_an_opening_is_that_opening() {
    let calendar = boston();
    let (start, deadline) = (at(&calendar, "2027-01-12T20:00"), at(&calendar, "2027-01-14T09:00"));
    let one_day = parse_span("1bd").expect("a span");
    assert_eq!(after(Some(&calendar), start, one_day), deadline);
    assert_eq!(share_of(Some(&calendar), one_day, start, deadline, 1.0), deadline);
}

#[test]
fn open_time_between_moments_turns_its_sign_with_them() {
    let calendar = boston();
    let (a, b) = (at(&calendar, "2027-01-05T12:00"), at(&calendar, "2027-01-06T10:00"));
    assert_eq!(calendar.open_between(a, b), Elapsed::from_secs((30 + 285 + 60) * 60));
    assert_eq!(calendar.open_between(b, a), Elapsed::from_secs(-(30 + 285 + 60) * 60));
}

#[test]
fn outside_of_the_tables_every_moment_and_every_day_is_open() {
    let calendar = calendar("UTC", &[("mon", &["09:00-10:00"])]);
    check(&calendar, "1999-05-01T03:00", "2bh", "1999-05-01T05:00");
    check(&calendar, "2070-05-01T03:00", "2bd", "2070-05-03T03:00");
    for t in [Timestamp::MIN, Timestamp::MAX] {
        assert!(calendar.is_open(t));
        calendar.add_open_days(t, i32::MAX);
        calendar.add_open_days(t, i32::MIN);
        calendar.add_open(t, Elapsed::from_millis(i64::MIN));
        calendar.open_between(Timestamp::MIN, Timestamp::MAX);
    }
}

/// A sixth of a hundred thousand random deadlines, on office hours and on a night shift whose ranges begin and end
/// within the hours that are skipped and repeated.
fn agrees_with_the_oracle(zone: &str, seed: u64) {
    let office = &[("mon-thu", &["09:00-12:30", "13:15-18:00"][..]), ("fri", &["09:00-16:00"][..])];
    let night = &[
        ("sat,sun", &["00:00-02:10", "02:20-02:40", "03:00-03:05", "23:00-24:00"][..]),
        ("mon", &["00:00-03:30"][..]),
    ];
    let walls = oracle::Walls::of(TimeZone::get(zone).expect("a zone"));
    for hours in [office, night] {
        let mut spec = spec(zone, hours);
        spec.holidays = vec![date(2027, 1, 1), date(2027, 3, 29), date(2027, 5, 31), date(2026, 12, 25)];
        spec.extra_days.insert(date(2027, 1, 9), vec![parse_range("10:00-14:00").expect("a range")]);
        oracle::compare(&spec, &walls, seed, 8_334);
    }
}

#[test]
fn random_deadlines_in_new_york_agree_with_the_minute_by_minute_oracle() {
    agrees_with_the_oracle("America/New_York", 1);
}

#[test]
fn random_deadlines_in_berlin_agree_with_the_minute_by_minute_oracle() {
    agrees_with_the_oracle("Europe/Berlin", 2);
}

#[test]
fn random_deadlines_at_the_half_hour_offset_of_kolkata_agree_with_the_oracle() {
    agrees_with_the_oracle("Asia/Kolkata", 3);
}

#[test]
fn random_deadlines_under_the_half_hour_daylight_saving_of_lord_howe_agree_with_the_oracle() {
    agrees_with_the_oracle("Australia/Lord_Howe", 4);
}

#[test]
fn random_deadlines_around_the_ramadan_of_casablanca_agree_with_the_oracle() {
    agrees_with_the_oracle("Africa/Casablanca", 5);
}

#[test]
fn random_deadlines_at_the_quarter_hour_offset_of_chatham_agree_with_the_oracle() {
    agrees_with_the_oracle("Pacific/Chatham", 6);
}
