//! The loop, driven by hand on SQLite and on PostgreSQL: workers' public steps, a CRM and channels
//! that answer as they are told, a clock that is set. `promise!` makes two tests of each body.

#[path = "../support/postgres.rs"]
mod postgres;

mod channels;
mod crm;
mod world;

/// Runs the body on a fresh database of each engine.
macro_rules! promise {
    ($name:ident, |$store:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn keep($store: crate::world::Store) $body

            #[tokio::test]
            async fn on_sqlite() {
                keep(crate::world::Store::sqlite().await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                if let Some(store) = crate::world::Store::postgres().await {
                    keep(store).await;
                }
            }
        }
    };
}

mod answers;
mod apply;
mod backfill;
mod doubt;
mod dump;
mod half_year;
mod interlocks;
mod links;
mod loops;
mod meet;
mod notices;
mod orders;
mod privacy;
mod reads;
mod refusals;
mod signed_out;
mod signing;
mod skew;
mod sweeps;
mod tasks;
mod writes;
