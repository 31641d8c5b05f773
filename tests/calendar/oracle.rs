//! The slow way to count business time: every minute of UTC is turned into wall time by jiff and looked up in the
//! agreement's hours; deadlines are found by going from minute to minute. Shares nothing with the calendar's tables.

use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use leadpact::agreement::calendar::{Calendar, CalendarSpec};
use leadpact::record::{Elapsed, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const MINUTE: i64 = 60_000;

/// The wall time of each minute of a year and a quarter: both changes of the clock, on either hemisphere, and Ramadan.
pub struct Walls {
    zone: TimeZone,
    first: i64,
    walls: Vec<DateTime>,
}

impl Walls {
    pub fn of(zone: TimeZone) -> Self {
        let utc = |day: Date| day.to_zoned(TimeZone::UTC).expect("a moment").timestamp().as_millisecond() / MINUTE;
        let (first, end) = (utc(date(2026, 9, 1)), utc(date(2027, 12, 1)));
        let wall =
            |minute: i64| zone.to_datetime(jiff::Timestamp::from_millisecond(minute * MINUTE).expect("a moment"));
        Self { walls: (first..end).map(wall).collect(), zone, first }
    }
}

/// The minutes of `Walls` that are open.
struct Oracle<'a> {
    walls: &'a Walls,
    open: Vec<bool>,
}

/// Beyond the minutes that the oracle knows; such a case is drawn again.
#[derive(Debug)]
struct OutOfMinutes;

impl<'a> Oracle<'a> {
    fn of(spec: &CalendarSpec, walls: &'a Walls) -> Self {
        Self { open: walls.walls.iter().map(|wall| is_open_minute(spec, *wall)).collect(), walls }
    }

    fn index(&self, t: i64) -> Result<usize, OutOfMinutes> {
        let index = t.div_euclid(MINUTE) - self.walls.first;
        usize::try_from(index).ok().filter(|i| *i > 0 && *i < self.open.len()).ok_or(OutOfMinutes)
    }

    fn start(&self, index: usize) -> i64 {
        (self.walls.first + index as i64) * MINUTE
    }

    fn is_open(&self, t: i64) -> Result<bool, OutOfMinutes> {
        let i = self.index(t)?;
        Ok(self.open[i] || (t == self.start(i) && self.open[i - 1]))
    }

    fn next_open(&self, t: i64) -> Result<i64, OutOfMinutes> {
        if self.is_open(t)? {
            return Ok(t);
        }
        let from = self.index(t)?;
        let ahead = self.open[from..].iter().position(|open| *open).ok_or(OutOfMinutes)?;
        Ok(self.start(from + ahead))
    }

    /// Consumes open minutes one after the other until nothing is left of `by`.
    fn forward(&self, from: i64, mut by: i64) -> Result<i64, OutOfMinutes> {
        if by == 0 {
            return self.next_open(from);
        }
        let (mut at, mut i) = (from, self.index(from)?);
        loop {
            let end = self.start(i + 1);
            if *self.open.get(i).ok_or(OutOfMinutes)? {
                if by <= end - at {
                    return Ok(at + by);
                }
                by -= end - at;
            }
            (at, i) = (end, i + 1);
        }
    }

    fn backward(&self, from: i64, mut by: i64) -> Result<i64, OutOfMinutes> {
        let (mut at, mut i) = (from, self.index(from)?);
        loop {
            let start = self.start(i);
            if self.open[i] {
                if by <= at - start {
                    return Ok(at - by);
                }
                by -= at - start;
            }
            at = start;
            i = i.checked_sub(1).ok_or(OutOfMinutes)?;
        }
    }

    fn open_between(&self, a: i64, b: i64) -> Result<i64, OutOfMinutes> {
        let (first, last) = (self.index(a)?, self.index(b)?);
        let within = |i: usize| self.start(i + 1).min(b) - self.start(i).max(a);
        Ok((first..=last).filter(|i| self.open[*i]).map(within).sum())
    }

    /// Goes from day to day, asking each of its minutes.
    fn add_days(&self, from: i64, days: i32) -> Result<i64, OutOfMinutes> {
        let wall = self.walls.zone.to_datetime(jiff::Timestamp::from_millisecond(from).expect("a moment"));
        let (mut day, mut left) = (wall.date(), days.abs());
        while left > 0 {
            day = if days > 0 { day.tomorrow() } else { day.yesterday() }.expect("a day");
            left -= i32::from(self.is_open_day(day)?);
        }
        let moment = self.walls.zone.to_timestamp(day.to_datetime(wall.time())).expect("a moment");
        self.next_open(moment.as_millisecond())
    }

    fn is_open_day(&self, day: Date) -> Result<bool, OutOfMinutes> {
        let midnight = day.to_zoned(self.walls.zone.clone()).expect("a moment").timestamp().as_millisecond();
        let first = self.index(midnight)?;
        let minutes = self.walls.walls.get(first..first + 26 * 60).ok_or(OutOfMinutes)?;
        Ok(minutes.iter().zip(&self.open[first..]).any(|(wall, open)| *open && wall.date() == day))
    }
}

fn is_open_minute(spec: &CalendarSpec, wall: DateTime) -> bool {
    let minute = wall.hour() as u16 * 60 + wall.minute() as u16;
    let ranges = match spec.extra_days.get(&wall.date()) {
        Some(ranges) => ranges.as_slice(),
        None if spec.holidays.contains(&wall.date()) => &[],
        None => &spec.hours[wall.weekday().to_monday_zero_offset() as usize],
    };
    ranges.iter().any(|range| range.from_minute() <= minute && minute < range.to_minute())
}

/// Compares so many random deadlines, and some other questions; fails with the first that is answered differently.
pub fn compare(spec: &CalendarSpec, walls: &Walls, seed: u64, deadlines: usize) {
    let calendar = Calendar::compile(spec).expect("a sound calendar");
    let oracle = Oracle::of(spec, walls);
    let mut random = StdRng::seed_from_u64(seed);
    let mut done = 0;
    while done < deadlines {
        let question = Question::draw(&mut random, &oracle);
        if let Ok(expected) = question.ask_oracle(&oracle) {
            assert_eq!(question.ask(&calendar), expected, "{}: {question:?}", spec.zone);
            done += usize::from(question.is_deadline());
        }
    }
}

/// Times and lengths in milliseconds.
#[derive(Debug)]
enum Question {
    Add(i64, i64),
    AddDays(i64, i32),
    Between(i64, i64),
    NextOpen(i64),
}

impl Question {
    /// Half of the moments are whole minutes, so that openings and closings are met exactly; the others are not.
    fn draw(random: &mut StdRng, oracle: &Oracle<'_>) -> Self {
        let minute = oracle.start(random.random_range(1..oracle.open.len()));
        let off = |random: &mut StdRng| if random.random_bool(0.5) { 0 } else { random.random_range(0..MINUTE) };
        let from = minute + off(random);
        let longest = if random.random_bool(0.9) { 12 * 60 } else { 60 * 60 };
        match random.random_range(0..20) {
            0..12 => Self::Add(from, random.random_range(0..longest) * MINUTE + off(random)),
            12..14 => Self::Add(from, -random.random_range(0..longest) * MINUTE - off(random) - 1),
            14..18 => Self::AddDays(from, random.random_range(-6..16)),
            18 => Self::Between(from, from + random.random_range(0..5000) * MINUTE + off(random)),
            _ => Self::NextOpen(from),
        }
    }

    fn is_deadline(&self) -> bool {
        matches!(self, Self::Add(..) | Self::AddDays(..))
    }

    fn ask(&self, calendar: &Calendar) -> i64 {
        let at = Timestamp::from_millis;
        match *self {
            Self::Add(from, by) => calendar.add_open(at(from), Elapsed::from_millis(by)).as_millis(),
            Self::AddDays(from, days) => calendar.add_open_days(at(from), days).as_millis(),
            Self::Between(a, b) => calendar.open_between(at(a), at(b)).as_millis(),
            Self::NextOpen(t) => calendar.next_open(at(t)).as_millis(),
        }
    }

    fn ask_oracle(&self, oracle: &Oracle<'_>) -> Result<i64, OutOfMinutes> {
        match *self {
            Self::Add(from, by) if by < 0 => oracle.backward(from, -by),
            Self::Add(from, by) => oracle.forward(from, by),
            Self::AddDays(from, days) => oracle.add_days(from, days),
            Self::Between(a, b) => oracle.open_between(a, b),
            Self::NextOpen(t) => oracle.next_open(t),
        }
    }
}
