//! Floor 1: numbers in, pictures out. A chart becomes a `Drawing` of rectangles, lines and labels, which is written
//! as SVG here and as native shapes by the slides; beside it, each chart gives the same numbers as a `Table`, for
//! mail programs that show no pictures and for whoever cannot see them. What is measured is not decided here.
//!
//! Every mark has a label in words, and no colour carries a meaning of its own: a missed bar says "missed".

mod bars;
mod drawing;
mod flow;
mod funnel;
pub mod lanes;
mod spark;
mod table;
pub mod text;
mod theme;
mod timeline;
mod trend;

pub use bars::{Bar, Bars, Outcome};
pub use drawing::{Align, Drawing, Mark};
pub use flow::{Flow, Return, Stage};
pub use funnel::{Funnel, Level};
pub use spark::Spark;
pub use table::Table;
pub use theme::{Paint, Theme};
pub use timeline::{Moment, Timeline};
pub use trend::{Form, Point, Trend};

/// What a page needs of any chart.
pub trait Chart {
    /// The picture, so many points wide; the height follows from what is in it.
    fn draw(&self, width: f64) -> Drawing;

    /// The same numbers in rows.
    fn table(&self) -> Table;

    /// Picture and table together, as HTML without scripts: the table stands folded beneath the picture.
    fn html(&self, width: f64, theme: &Theme) -> String {
        let (svg, table) = (self.draw(width).svg(theme), self.table().html());
        format!("<figure>{svg}<details><summary>As a table</summary>{table}</details></figure>")
    }
}
