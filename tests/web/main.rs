//! The web floor from outside: a real server on a port of its own, a fresh SQLite file, one
//! connection of each kind. Nothing works the inbox here.

mod document;
mod agreement;
mod disputes;
mod group;
mod house;
mod odd;
mod openapi;
mod figures;
mod group;
mod house;
mod live;
mod order;
mod pages;
mod people;
mod sign_in;
mod simulate;
mod stories;
mod templates;
mod trust;
