//! The web floor from outside: a real server on a port of its own, a fresh SQLite file, one
//! connection of each kind. Nothing works the inbox here.

mod answers;
mod group;
mod house;
mod order;
mod pages;
mod people;
mod stories;
mod trust;
