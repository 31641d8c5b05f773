//! (contract) Business calendars.
use crate::record::{Elapsed, Timestamp};
use jiff::tz::TimeZone;

#[derive(Debug)]
pub struct Calendar {}

impl Calendar {
    /// Whether `t` lies in open time. Opening time is open; closing time itself is open too.
    pub fn is_open(&self, _t: Timestamp) -> bool {
        unimplemented!()
    }
    /// `t` itself when open, else the next opening.
    pub fn next_open(&self, _t: Timestamp) -> Timestamp {
        unimplemented!()
    }
    /// The moment that lies so much open time after `from` (before it when negative).
    /// Adding zero to a closed moment gives the next opening. A result that falls on closing time stays there.
    pub fn add_open(&self, _from: Timestamp, _by: Elapsed) -> Timestamp {
        unimplemented!()
    }
    /// Open time between two moments; negative when `b` is before `a`.
    pub fn open_between(&self, _a: Timestamp, _b: Timestamp) -> Elapsed {
        unimplemented!()
    }
    /// The same wall time `days` open days on (or back); where that is closed, the next opening.
    pub fn add_open_days(&self, _from: Timestamp, _days: i32) -> Timestamp {
        unimplemented!()
    }
    pub fn zone(&self) -> &TimeZone {
        unimplemented!()
    }
}
