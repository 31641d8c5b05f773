//! The web floor from outside: a real server on a port of its own, a fresh database, one
//! connection of each kind. Nothing works the inbox here.

mod answers;
mod deliveries;
#[path = "../support/postgres.rs"]
mod postgres;

/// Runs the body in a house on each engine.
macro_rules! promise {
    ($name:ident, |$house:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn keep($house: crate::house::House) $body

            #[tokio::test]
            async fn on_sqlite() {
                keep(crate::house::House::start().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(house) = crate::house::House::on_postgres().await {
                    keep(house).await;
                }
            }
        }
    };
}

mod agreement;
mod disputes;
mod document;
mod figures;
mod group;
mod health;
mod house;
mod journal;
mod live;
mod odd;
#[cfg(feature = "oidc")]
mod oidc;
mod openapi;
mod order;
mod pages;
mod people;
mod record;
mod risk;
mod sign_in;
mod simulate;
mod stories;
mod templates;
mod trust;
