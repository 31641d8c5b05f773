//! The generic connector with a description: the shipped ones against recorded shapes, and what a CRM
//! or a sender may do to it. The sender of our own JSON is tested in `signatures` and `docs`.

mod descriptions;
mod failures;
mod fake;
mod frappe;
mod hostile;
mod paging;
mod pipedrive;
mod quirks;
mod verify;
