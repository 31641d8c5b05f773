//! What a mark means and which colour that is: the palette of Okabe and Ito, which people with any colour vision tell
//! apart (https://jfly.uni-koeln.de/color/).

/// What a mark stands for; a theme gives it a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Text that is to be read first.
    Ink,
    /// Text beside it.
    Quiet,
    /// Axes and empty bars.
    Rule,
    /// What was kept.
    Kept,
    /// What was missed.
    Missed,
    /// What is still open, or counted without a target.
    Open,
    /// The mark that was agreed.
    Target,
}

/// Colours as CSS writes them. `Theme::LIGHT` and `Theme::DARK` draw their own ground and so look the same in any mail
/// program and in print; `Theme::INHERIT` takes the text's colour from the page around it;
/// `Theme::PAGE` takes all of them from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub ground: Option<&'static str>,
    pub ink: &'static str,
    pub quiet: &'static str,
    pub rule: &'static str,
    pub kept: &'static str,
    pub missed: &'static str,
    pub open: &'static str,
}

impl Theme {
    pub const LIGHT: Theme = Theme {
        ground: Some("#FFFFFF"),
        ink: "#1A1A1A",
        quiet: "#595959",
        rule: "#D5D8DC",
        kept: "#0072B2",
        missed: "#D55E00",
        open: "#56B4E9",
    };

    pub const DARK: Theme = Theme {
        ground: Some("#16191D"),
        ink: "#F2F2F2",
        quiet: "#B5BAC1",
        rule: "#4A5058",
        kept: "#56B4E9",
        missed: "#E69F00",
        open: "#009E73",
    };

    /// Readable on light and on dark ground alike.
    pub const INHERIT: Theme = Theme {
        ground: None,
        ink: "currentColor",
        quiet: "currentColor",
        rule: "#8A9099",
        kept: "#2A8FCC",
        missed: "#D55E00",
        open: "#009E73",
    };

    /// The colours of our own pages, which name them as custom properties, one for light and one for dark.
    pub const PAGE: Theme = Theme {
        ground: None,
        ink: "var(--ink)",
        quiet: "var(--soft)",
        rule: "var(--line)",
        kept: "var(--good)",
        missed: "var(--bad)",
        open: "var(--calm)",
    };

    pub fn color(&self, paint: Paint) -> &'static str {
        match paint {
            Paint::Ink | Paint::Target => self.ink,
            Paint::Quiet => self.quiet,
            Paint::Rule => self.rule,
            Paint::Kept => self.kept,
            Paint::Missed => self.missed,
            Paint::Open => self.open,
        }
    }
}
