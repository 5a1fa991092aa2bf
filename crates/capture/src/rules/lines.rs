//! Text in the syntax of nft.

use std::fmt::Display;

/// Text with nested blocks.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) text: String,
    depth: usize,
}

impl Lines {
    pub(super) fn add(&mut self, line: impl Display) {
        self.text.push_str(&"\t".repeat(self.depth));
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    pub(super) fn block(&mut self, head: impl Display, inside: impl FnOnce(&mut Self)) {
        self.add(format_args!("{head} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.add("}");
    }
}

/// Formats a set, such as `{ 80, 443 }`; none if it is empty.
pub(super) fn list(items: impl Iterator<Item = impl Display>) -> Option<String> {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| format!("{{ {} }}", items.join(", ")))
}
