//! The web floor from outside: a real server on a port of its own, a fresh SQLite file, one
//! connection of each kind. Nothing works the inbox here.

mod agreement;
mod deliveries;
mod disputes;
mod document;
mod figures;
mod group;
mod health;
mod house;
mod journal;
mod live;
mod odd;
mod openapi;
mod order;
mod pages;
mod people;
mod sign_in;
mod simulate;
mod stories;
mod templates;
mod trust;
