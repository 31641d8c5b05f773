//! The daemon as an operator runs it: the real binary with configuration files, against the
//! sandbox's CRMs, a pretend Slack and a mail server, on both databases. What a part does by itself
//! is tested beside that part.

mod agreements;
mod answers;
mod audit;
mod configuration;
mod connect;
mod crashes;
mod daemon;
mod described;
mod doctor;
mod doctor_running;
mod house;
mod interlocks;
mod missed;
mod news;
mod odd;
mod people;
#[path = "../support/postgres.rs"]
mod postgres;
mod recycling;
mod replicas;
mod signing;
mod signing_in;
mod simulate;
#[path = "../support/slack.rs"]
mod slack;
#[path = "../support/smtp.rs"]
mod smtp;
mod starting;
mod trouble;
mod violations;
mod volume;
