//! The second slide: what each term means, and the rule by which it is recognised.

use crate::agreement::Agreement;
use crate::agreement::model::{Ending, Stage};
use crate::document::block::{Block, Grid, Text};
use crate::document::layout::{Columns, Draft, Group, Kind};

pub(super) fn terms(agreement: &Agreement) -> Draft {
    let grid = Grid {
        caption: "Terms, their meaning and the rule that recognises them".to_owned(),
        head: ["Term", "Meaning", "Recognised when", "Record"].map(str::to_owned).to_vec(),
        shares: vec![0.27, 0.35, 0.27, 0.11],
        rows: agreement.stages.iter().map(row).collect(),
        least: 0.0,
    };
    let group = Group { name: "terms and their meanings".to_owned(), blocks: vec![Block::Table(grid)] };
    Draft {
        kind: Kind::Slide,
        title: "Terminology".to_owned(),
        subtitle: String::new(),
        columns: Columns::Fixed(vec![(1.0, vec![group])]),
    }
}

fn row(stage: &Stage) -> Vec<Text> {
    vec![
        Text::bold(&stage.term).and(format!(" ({})", stage.name.as_str().replace('_', " "))),
        Text::plain(format!("{}{}", stage.means.trim(), ending(stage.ends))),
        Text::plain(stage.when.sentence()),
        Text::plain(stage.of.as_str()),
    ]
}

/// The waterfall ends at some stages; the table says at which.
fn ending(ends: Option<Ending>) -> &'static str {
    match ends {
        None => "",
        Some(Ending::Won) => " Ends the waterfall.",
        Some(Ending::Lost | Ending::Rejected | Ending::Nurture) => " Leaves the waterfall.",
    }
}
