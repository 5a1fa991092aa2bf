//! Annotations at rest.

use std::ops::Range;
use std::path::Path;

use crate::{Annotation, NewAnnotation, Result, StoreError};

pub(crate) struct Annotations;

impl Annotations {
    pub(crate) fn open(_path: &Path) -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn list(&self, _range: Range<i64>) -> Result<Vec<Annotation>> {
        Ok(Vec::new())
    }

    pub(crate) fn add(&self, _annotation: &NewAnnotation) -> Result<Annotation> {
        Err(StoreError::Unavailable(String::new()))
    }

    pub(crate) fn remove(&self, _id: u64) -> Result<bool> {
        Ok(false)
    }
}
