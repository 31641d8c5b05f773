//! Where each block stands: the largest readable type that lets a page hold its content, in as few columns as serve.
//! A page that cannot hold it is an error that says which part is too long; nothing is cut.

use super::block::Block;
use super::measure::{BEFORE_PART, LEADING, breaks_words, gap_before, height, lines, row_heights};
use super::{Text, block};
use crate::agreement::Agreement;
use crate::chart::text::text_width;
use std::fmt;
use std::sync::Arc;

/// The page in points: 13⅓ by 7½ inches, what slides call 16:9.
pub const PAGE: (f64, f64) = (960.0, 540.0);
/// Left and right of the content.
pub const MARGIN: f64 = 40.0;
/// Where the content of a slide begins, and where that of any page must end.
const TOP: f64 = 84.0;
const BOTTOM: f64 = 498.0;
/// Below the band of the cover.
const COVER_TOP: f64 = 168.0;
/// Between two columns.
const GUTTER: f64 = 24.0;
/// Type sizes, best first. Smaller cannot be read from a wall.
const SIZES: [f64; 7] = [15.0, 14.0, 13.0, 12.0, 11.5, 11.0, SMALLEST];
const SMALLEST: f64 = 10.5;
/// What is mostly figures looks lost in larger type than this.
const LARGEST_ON_A_SLIDE: f64 = 13.0;

/// A finished document.
#[derive(Debug, Clone)]
pub struct Document {
    pub title: String,
    pub version: String,
    /// SHA-256 of the agreement, in hex.
    pub hash: Arc<str>,
    pub pages: Vec<Page>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Cover,
    Slide,
    Signatures,
}

#[derive(Debug, Clone)]
pub struct Page {
    pub kind: Kind,
    pub title: String,
    /// Beneath the title, on the cover.
    pub subtitle: String,
    /// Of body text, in points.
    pub size: f64,
    pub columns: Vec<Column>,
}

/// A stack of blocks; lengths are points from the page's upper left corner.
#[derive(Debug, Clone)]
pub struct Column {
    pub x: f64,
    pub width: f64,
    pub blocks: Vec<Placed>,
}

#[derive(Debug, Clone)]
pub struct Placed {
    pub y: f64,
    pub height: f64,
    pub block: Block,
}

/// A part of a page that stays together in one column.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// As an author of the agreement would call it.
    pub name: String,
    pub blocks: Vec<Block>,
}

pub(super) enum Columns {
    /// The groups flow through so many equal columns; the fewest that serve are taken.
    Flow(&'static [usize], Vec<Group>),
    /// Each column has its share of the width and its own groups.
    Fixed(Vec<(f64, Vec<Group>)>),
}

/// A page before it is laid out.
pub(super) struct Draft {
    pub kind: Kind,
    pub title: String,
    pub subtitle: String,
    pub columns: Columns,
}

/// A page that cannot hold its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Overflow {
    /// From 1, the cover included.
    pub page: usize,
    pub title: String,
    /// So many lines of the smallest type are too many.
    pub lines: usize,
    /// The part that takes the most room, and its lines.
    pub longest: (String, usize),
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, title, lines, longest: (longest, long) } = self;
        let s = if *lines == 1 { "" } else { "s" };
        write!(
            f,
            "slide {page}, {title}: {lines} line{s} too many at 10.5 points; shorten what it says, first of all \
             “{longest}” ({long} lines)"
        )
    }
}

/// All pages, each in the largest type that fits.
pub(super) fn lay_out(agreement: &Agreement, drafts: Vec<Draft>) -> Result<Document, Overflow> {
    let pages = drafts.into_iter().enumerate().map(|(at, draft)| page(at + 1, draft)).collect::<Result<_, _>>()?;
    Ok(Document {
        title: block::one_line(&agreement.title),
        version: block::one_line(&agreement.version),
        hash: agreement.hash.clone(),
        pages,
    })
}

fn page(number: usize, draft: Draft) -> Result<Page, Overflow> {
    let top = if draft.kind == Kind::Cover { COVER_TOP } else { TOP };
    let room = BOTTOM - top;
    let mut least: Option<(f64, Vec<Stack>)> = None;
    let title = title_overflow(number, &draft);
    if let Some(overflow) = title {
        return Err(overflow);
    }
    let is_slide = draft.kind == Kind::Slide;
    let sizes: Vec<f64> = SIZES.into_iter().filter(|size| !is_slide || *size <= LARGEST_ON_A_SLIDE).collect();
    // Smaller type goes before broken words.
    for (may_break, size) in [false, true].iter().flat_map(|may| sizes.iter().map(move |size| (*may, *size))) {
        for stacks in draft.columns.ways(size) {
            let highest = stacks.iter().map(|s| s.height(size)).fold(0.0, f64::max);
            if highest <= room && (may_break || !stacks.iter().any(|s| s.breaks_words(size))) {
                let columns = stacks.into_iter().map(|stack| stack.place(top, size)).collect();
                return Ok(Page { kind: draft.kind, title: draft.title, subtitle: draft.subtitle, size, columns });
            }
            if size <= SMALLEST && least.as_ref().is_none_or(|(height, _)| highest < *height) {
                least = Some((highest, stacks));
            }
        }
    }
    let (highest, stacks) = least.expect("every page has a way to be laid out");
    Err(overflow(number, draft.title, highest - room, &stacks))
}

/// Titles stand in one line (on the cover in two), above the content.
fn title_overflow(number: usize, draft: &Draft) -> Option<Overflow> {
    let (size, most) = if draft.kind == Kind::Cover { (30.0, 2) } else { (24.0, 1) };
    let width = PAGE.0 - 2.0 * MARGIN;
    let title = lines(&Text::bold(&draft.title), size, width);
    let subtitle = lines(&Text::plain(&draft.subtitle), 14.0, width);
    let (part, too_many) = match (title > most, subtitle > 1) {
        (true, _) => ("title", title - most),
        (_, true) => ("version", subtitle - 1),
        _ => return None,
    };
    let page_title = if draft.kind == Kind::Cover { "Cover".to_owned() } else { draft.title.clone() };
    Some(Overflow { page: number, title: page_title, lines: too_many, longest: (part.to_owned(), title.max(subtitle)) })
}

fn overflow(page: usize, title: String, excess: f64, stacks: &[Stack]) -> Overflow {
    let line = SMALLEST * LEADING;
    let tall = stacks.iter().flat_map(|stack| stack.groups.iter().flat_map(|group| group.parts(stack.width)));
    let tall = tall.map(|(name, height)| (name, (height / line).ceil() as usize));
    let longest = tall.max_by_key(|(_, lines)| *lines).unwrap_or_default();
    Overflow { page, title, lines: (excess / line).ceil().max(1.0) as usize, longest }
}

/// A column that is being tried.
struct Stack {
    x: f64,
    width: f64,
    groups: Vec<Group>,
}

impl Stack {
    fn height(&self, size: f64) -> f64 {
        let gaps: f64 = self.groups.iter().skip(1).map(Group::gap).sum();
        self.groups.iter().map(|group| group.height(size, self.width)).sum::<f64>() + gaps
    }

    fn breaks_words(&self, size: f64) -> bool {
        self.groups.iter().flat_map(|group| &group.blocks).any(|block| breaks_words(block, size, self.width))
    }

    fn place(self, top: f64, size: f64) -> Column {
        let (mut y, mut blocks): (f64, Vec<Placed>) = (top, Vec::new());
        for block in self.groups.into_iter().flat_map(|group| group.blocks) {
            y += if blocks.is_empty() { 0.0 } else { gap_before(&block) };
            let height = height(&block, size, self.width);
            blocks.push(Placed { y, height, block });
            y += height;
        }
        Column { x: self.x, width: self.width, blocks }
    }
}

impl Group {
    fn height(&self, size: f64, width: f64) -> f64 {
        let inner: f64 = self.blocks.iter().skip(1).map(gap_before).sum();
        self.blocks.iter().map(|block| height(block, size, width)).sum::<f64>() + inner
    }

    /// What in it could be shortened, with its height in the smallest type: the rows of a table, else the whole.
    fn parts(&self, width: f64) -> Vec<(String, f64)> {
        let tables = self.blocks.iter().filter_map(|b| if let Block::Table(grid) = b { Some(grid) } else { None });
        let named =
            |(row, height): (&Vec<Text>, f64)| (row.first().map_or_else(|| self.name.clone(), Text::to_plain), height);
        let mut rows: Vec<(String, f64)> =
            tables.flat_map(|t| t.rows.iter().zip(row_heights(t, SMALLEST, width)).map(named)).collect();
        if rows.is_empty() {
            rows.push((self.name.clone(), self.height(SMALLEST, width)));
        }
        rows
    }

    fn gap(&self) -> f64 {
        self.blocks.first().map_or(BEFORE_PART, gap_before)
    }
}

impl Columns {
    /// Every way to be tried at this type size.
    fn ways(&self, size: f64) -> Vec<Vec<Stack>> {
        let whole = PAGE.0 - 2.0 * MARGIN;
        match self {
            Columns::Flow(counts, groups) => counts.iter().map(|count| flow(groups, *count, size, whole)).collect(),
            Columns::Fixed(columns) => {
                let shares: f64 = columns.iter().map(|(share, _)| share).sum();
                let room = whole - GUTTER * (columns.len().saturating_sub(1)) as f64;
                let mut x = MARGIN;
                let stack = |(share, groups): &(f64, Vec<Group>)| {
                    let stack = Stack { x, width: share / shares * room, groups: groups.clone() };
                    x += stack.width + GUTTER;
                    stack
                };
                vec![columns.iter().map(stack).collect()]
            }
        }
    }
}

/// Groups in their order over equal columns, so that the highest is as low as can be.
fn flow(groups: &[Group], count: usize, size: f64, whole: f64) -> Vec<Stack> {
    let width = (whole - GUTTER * (count - 1) as f64) / count as f64;
    let tall: Vec<Tall> = groups.iter().map(|g| Tall { gap: g.gap(), height: g.height(size, width) }).collect();
    let mut caps: Vec<f64> = (0..tall.len())
        .flat_map(|from| (from..tall.len()).map(move |to| (from, to)))
        .map(|(from, to)| column_height(&tall[from..=to]))
        .collect();
    caps.sort_by(f64::total_cmp);
    let ends = caps.iter().map(|cap| fill(&tall, *cap)).find(|ends| ends.len() <= count).unwrap_or_default();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let stack = |(at, (from, to)): (usize, (usize, &usize))| Stack {
        x: MARGIN + (width + GUTTER) * at as f64,
        width,
        groups: groups[from..*to].to_vec(),
    };
    starts.zip(&ends).enumerate().map(stack).collect()
}

/// How high a group is, and the space above it where it follows another.
struct Tall {
    gap: f64,
    height: f64,
}

fn column_height(tall: &[Tall]) -> f64 {
    tall.iter().map(|one| one.height).sum::<f64>() + tall.iter().skip(1).map(|one| one.gap).sum::<f64>()
}

/// Where columns end when each takes what fits beneath `cap`; a group that alone is higher has its own.
fn fill(tall: &[Tall], cap: f64) -> Vec<usize> {
    let (mut ends, mut from) = (Vec::new(), 0);
    for to in 1..=tall.len() {
        if to == tall.len() || column_height(&tall[from..=to]) > cap + 1e-6 {
            ends.push(to);
            from = to;
        }
    }
    ends
}

impl Document {
    /// The smallest body type of any page.
    pub(super) fn least_size(&self) -> f64 {
        self.pages.iter().map(|page| page.size).fold(f64::MAX, f64::min)
    }

    /// What stands at the foot of every page: which version this is. Where it is too long, only the fingerprint.
    pub fn footer(&self) -> String {
        let hash = format!("SHA-256 {}", self.hash.get(..16).unwrap_or(&self.hash));
        let whole = format!("{} · version {} · {hash}…", self.title, self.version);
        if text_width(&whole, 10.5) <= PAGE.0 - 2.0 * MARGIN - 80.0 { whole } else { format!("{hash}…") }
    }
}
