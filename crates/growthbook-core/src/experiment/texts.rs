//! The texts of an experiment. Most are only reported, so that they share one allocation.

use alloc::boxed::Box;

/// What stands between an experiment's key and its bucket version in sticky bucket documents.
const STICKY_KEY_SEPARATOR: &str = "__";

/// The texts one by one.
#[derive(Clone, Copy)]
pub(super) struct TextParts<'t> {
    pub(super) key: &'t str,
    pub(super) bucket_version: &'t str,
    pub(super) name: Option<&'t str>,
    pub(super) phase: Option<&'t str>,
    pub(super) seed: Option<&'t str>,
}

/// The texts of an experiment, one behind the other.
#[derive(Clone)]
pub(super) struct Texts {
    whole: Box<str>,
    key_end: u32,
    sticky_key_end: u32,
    name: Span,
    phase: Span,
    seed: Span,
}

/// A part of a text; none when it ends before it starts.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
}

impl Texts {
    pub(super) fn new(parts: TextParts<'_>) -> Self {
        let TextParts { key, bucket_version, name, phase, seed } = parts;
        let [name_text, phase_text, seed_text] = [name, phase, seed].map(Option::unwrap_or_default);
        let whole =
            [key, STICKY_KEY_SEPARATOR, bucket_version, name_text, phase_text, seed_text].concat();
        let mut end = key.len() + STICKY_KEY_SEPARATOR.len() + bucket_version.len();
        let sticky_key_end = offset(end);
        let mut next = |text: Option<&str>| {
            let start = end;
            end += text.map_or(0, str::len);
            text.map_or(Span::NONE, |_| Span { start: offset(start), end: offset(end) })
        };
        Texts {
            key_end: offset(key.len()),
            sticky_key_end,
            name: next(name),
            phase: next(phase),
            seed: next(seed),
            whole: whole.into(),
        }
    }

    pub(super) fn parts(&self) -> TextParts<'_> {
        let version = self.key_end as usize + STICKY_KEY_SEPARATOR.len();
        TextParts {
            key: self.key(),
            bucket_version: self.sticky_key().get(version..).unwrap_or_default(),
            name: self.name(),
            phase: self.phase(),
            seed: self.seed(),
        }
    }

    #[inline]
    pub(super) fn key(&self) -> &str {
        self.whole.get(..self.key_end as usize).unwrap_or_default()
    }

    /// The key of an assignment in a sticky bucket document: the experiment's key and its bucket
    /// version.
    pub(super) fn sticky_key(&self) -> &str {
        self.whole.get(..self.sticky_key_end as usize).unwrap_or_default()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.part(self.name)
    }

    pub(super) fn phase(&self) -> Option<&str> {
        self.part(self.phase)
    }

    pub(super) fn seed(&self) -> Option<&str> {
        self.part(self.seed)
    }

    fn part(&self, span: Span) -> Option<&str> {
        self.whole.get(span.start as usize..span.end as usize)
    }

    /// The bucket version of an assignment of this experiment, when the key of one in a sticky
    /// bucket document is that.
    pub(super) fn assigned_version<'k>(&self, sticky_key: &'k str) -> Option<&'k str> {
        sticky_key.strip_prefix(self.key())?.strip_prefix(STICKY_KEY_SEPARATOR)
    }
}

impl Span {
    const NONE: Self = Span { start: 1, end: 0 };
}

/// Behind 4 GiB there is nothing.
fn offset(offset: usize) -> u32 {
    offset.try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart() {
        let texts = [None, Some(""), Some("text")];
        for (name, phase) in texts.into_iter().flat_map(|name| texts.map(|phase| (name, phase))) {
            let parts =
                TextParts { key: "key", bucket_version: "1", name, phase, seed: Some("seed") };
            let texts = Texts::new(parts);
            let again = Texts::new(texts.parts());
            assert_eq!((again.key(), again.sticky_key()), ("key", "key__1"));
            assert_eq!((again.name(), again.phase(), again.seed()), (name, phase, Some("seed")));
        }
    }
}
