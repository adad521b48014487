//! Numbers that stand for objects.

/// Objects with numbers. The number of an object that was removed is used again.
pub(crate) struct Handles<T> {
    objects: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Handles { objects: Vec::new(), free: Vec::new() }
    }
}

impl<T> Handles<T> {
    /// Keeps an object, and returns its number, which is never 0.
    pub(crate) fn add(&mut self, object: T) -> usize {
        let index = self.free.pop().unwrap_or(self.objects.len());
        match self.objects.get_mut(index) {
            Some(place) => *place = Some(object),
            None => self.objects.push(Some(object)),
        }
        index + 1
    }

    /// Returns the object with this number.
    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        self.objects.get(number.checked_sub(1)?)?.as_ref()
    }

    /// Removes the object with this number.
    pub(crate) fn remove(&mut self, number: usize) -> Option<T> {
        let index = number.checked_sub(1)?;
        let object = self.objects.get_mut(index)?.take()?;
        self.free.push(index);
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_of_removed_object_is_used_again() {
        let mut handles = Handles::default();
        let (a, b) = (handles.add("a"), handles.add("b"));
        assert_eq!((a, b), (1, 2));
        assert_eq!(handles.remove(a), Some("a"));
        assert_eq!(handles.remove(a), None);
        assert_eq!(handles.get(a), None);
        assert_eq!(handles.add("c"), a);
        assert_eq!((handles.get(a), handles.get(b)), (Some(&"c"), Some(&"b")));
    }

    #[test]
    fn unknown_number_has_no_object() {
        let mut handles = Handles::default();
        handles.add("a");
        for number in [0, 2, usize::MAX] {
            assert_eq!(handles.get(number), None);
            assert_eq!(handles.remove(number), None);
        }
    }
}
