//! From CEL's syntax tree to ours: names resolved, types checked, literals read, and every problem
//! collected on the way. How a refusal is worded lives in `refuse`.

use super::syntax::{self, Parsed};
use super::tree::{Leaf, Method, Node, Op, Operand, StageRef, Test};
use super::{Predicate, Problem, Scope, unset};
use crate::record::field::well_known;
use crate::record::{FieldName, FieldType, Timestamp, Value};
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::ops::Range;
use std::sync::Arc;

/// See [`Predicate::compile`].
pub(super) fn compile(source: &str, scope: &Scope<'_>) -> Result<(Predicate, Vec<Problem>), Vec<Problem>> {
    let parsed = syntax::parse(source)?;
    let mut compiler = Compiler { parsed: &parsed, scope, problems: Vec::new(), operands: Vec::new() };
    let root = compiler.condition(&parsed.root);
    // The walk follows the source, so the problems stand in its order.
    let Compiler { problems, operands, .. } = compiler;
    match root {
        Some(root) if problems.is_empty() => {
            let warnings = unset::warnings(&root, scope.in_clock);
            Ok((finish(source, scope, root, &operands), warnings))
        }
        _ => Err(problems),
    }
}

fn finish(source: &str, scope: &Scope<'_>, root: Node, operands: &[Operand]) -> Predicate {
    let fields = operands.iter().filter_map(|operand| match operand {
        Operand::Field(name) => Some(*name),
        Operand::Touches => (!scope.in_clock).then_some(well_known().touches),
    });
    let names = scope.stages.unwrap_or_default().iter().map(|(name, _)| Arc::from(name.as_str()));
    Predicate {
        source: Arc::from(source),
        stages: if mentions_stage(&root) { names.collect() } else { Box::default() },
        root,
        fields: fields.collect(),
        reads_touches: operands.contains(&Operand::Touches),
    }
}

fn mentions_stage(node: &Node) -> bool {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().any(mentions_stage),
        Node::Not { inner, .. } => mentions_stage(inner),
        Node::Leaf(leaf) => matches!(leaf.test, Test::Stage { .. } | Test::Reached(_)),
    }
}

/// Walks the syntax tree. A method that answers `None` has left a problem behind.
pub(super) struct Compiler<'a> {
    pub parsed: &'a Parsed<'a>,
    pub scope: &'a Scope<'a>,
    pub problems: Vec<Problem>,
    /// Each once, in the order of first mention.
    operands: Vec<Operand>,
}

/// One side of a comparison.
pub(super) enum Side<'e> {
    Looked(Operand, FieldType),
    Stage,
    Constant(Constant<'e>),
}

#[derive(Clone, Copy)]
pub(super) enum Constant<'e> {
    Null,
    Text(&'e str),
    Number(f64),
    Bool(bool),
    /// The text within `timestamp("…")`.
    Moment(&'e str),
}

impl<'a> Compiler<'a> {
    fn condition(&mut self, expr: &'a IdedExpr) -> Option<Node> {
        match &expr.expr {
            Expr::Call(call) => match (call.func_name.as_str(), call.target.as_deref(), call.args.as_slice()) {
                (operators::LOGICAL_AND | operators::LOGICAL_OR, None, [_, _]) => self.junction(expr, call),
                (operators::LOGICAL_NOT, None, [inner]) => {
                    let inner = Box::new(self.condition(inner)?);
                    Some(Node::Not { span: self.parsed.span(expr), inner })
                }
                (operators::IN, None, [left, list]) => self.membership(expr, left, list),
                (name, Some(target), args) => self.method(expr, call, name, target, args),
                ("reached", None, args) => self.reached(expr, args),
                (name, None, [left, right]) => match operator(name) {
                    Some(op) => self.comparison(expr, op, left, right),
                    None => self.refuse_call(expr, call),
                },
                _ => self.refuse_call(expr, call),
            },
            Expr::Ident(_) => self.standing_alone(expr),
            Expr::Literal(LiteralValue::Boolean(answer)) => self.leaf(expr, Test::Constant(**answer)),
            _ => self.refuse_as_condition(expr),
        }
    }

    fn leaf(&self, expr: &IdedExpr, test: Test) -> Option<Node> {
        Some(Node::Leaf(Leaf { span: self.parsed.span(expr), test }))
    }

    /// `a && b && c` comes as a balanced tree; it becomes one list. All parts are read even when one is wrong.
    fn junction(&mut self, expr: &'a IdedExpr, call: &'a CallExpr) -> Option<Node> {
        let mut parts = Vec::new();
        flatten(expr, &call.func_name, &mut parts);
        let nodes: Vec<Option<Node>> = parts.into_iter().map(|part| self.condition(part)).collect();
        let nodes = nodes.into_iter().collect::<Option<Box<[Node]>>>()?;
        Some(if call.func_name == operators::LOGICAL_AND { Node::And(nodes) } else { Node::Or(nodes) })
    }

    fn standing_alone(&mut self, expr: &'a IdedExpr) -> Option<Node> {
        match self.side(expr, None)? {
            Side::Looked(operand, FieldType::Bool) => self.leaf(expr, Test::IsTrue(operand)),
            Side::Looked(_, of) => self.refuse_bare(expr, of),
            Side::Stage => {
                let problem = Problem::error(self.parsed.span(expr), "`stage` alone is no condition");
                self.refuse(problem.help("compare it, as in `stage == \"…\"`"))
            }
            Side::Constant(_) => self.refuse_as_condition(expr),
        }
    }

    fn comparison(&mut self, expr: &'a IdedExpr, op: Op, left: &'a IdedExpr, right: &'a IdedExpr) -> Option<Node> {
        let seen = (self.side(left, Some(right)), self.side(right, Some(left)));
        let test = match (seen.0?, seen.1?) {
            (Side::Constant(_), Side::Constant(_)) => {
                let problem = Problem::error(self.parsed.span(expr), "this compares two fixed values");
                return self.refuse(problem.help("compare a field with a value"));
            }
            (Side::Looked(a, a_type), Side::Looked(b, b_type)) => self.operands(expr, (a, a_type), op, (b, b_type))?,
            (Side::Looked(of, kind), Side::Constant(value)) => self.against((of, kind), op, value, right)?,
            (Side::Constant(value), Side::Looked(of, kind)) => self.against((of, kind), op.flipped(), value, left)?,
            (Side::Stage, Side::Constant(Constant::Text(name))) => self.stage_is(expr, op, name, right)?,
            (Side::Constant(Constant::Text(name)), Side::Stage) => self.stage_is(expr, op, name, left)?,
            (Side::Stage, _) | (_, Side::Stage) => return self.refuse_stage_against(expr),
        };
        self.leaf(expr, test)
    }

    fn operands(&mut self, expr: &IdedExpr, a: (Operand, FieldType), op: Op, b: (Operand, FieldType)) -> Option<Test> {
        if a.1 != b.1 {
            return self.refuse_types(expr, a, b);
        }
        self.ordered(expr, a.1, op)?;
        Some(Test::Operands { left: a.0, op, right: b.0 })
    }

    fn against(
        &mut self,
        (left, kind): (Operand, FieldType),
        op: Op,
        value: Constant<'a>,
        at: &IdedExpr,
    ) -> Option<Test> {
        match value {
            Constant::Null if op.is_equality() => Some(Test::IsNull { of: left, unless: op == Op::Ne }),
            Constant::Null => self.refuse_order_of_null(at),
            value => {
                let right = self.literal(left, kind, value, at)?;
                self.ordered(at, kind, op)?;
                Some(Test::Compare { left, op, right })
            }
        }
    }

    fn ordered(&mut self, at: &IdedExpr, kind: FieldType, op: Op) -> Option<()> {
        if kind == FieldType::Bool && !op.is_equality() {
            return self.refuse_order_of_bool(at, op);
        }
        Some(())
    }

    fn stage_is(&mut self, expr: &IdedExpr, op: Op, name: &str, at: &IdedExpr) -> Option<Test> {
        let (stage, _) = self.stage(name, at)?;
        if !op.is_equality() {
            return self.refuse_order_of_stage(expr, name);
        }
        Some(Test::Stage { any_of: Box::new([stage]), unless: op == Op::Ne })
    }

    fn membership(&mut self, expr: &'a IdedExpr, left: &'a IdedExpr, list: &'a IdedExpr) -> Option<Node> {
        let side = self.side(left, Some(list));
        let Expr::List(list_expr) = &list.expr else { return self.refuse_list(list) };
        if list_expr.elements.is_empty() {
            return self.refuse_empty_list(list);
        }
        let elements = &list_expr.elements;
        let test = match side? {
            Side::Looked(left, kind) => {
                let values: Vec<_> = elements.iter().map(|one| self.element(left, kind, one)).collect();
                Test::In { left, list: values.into_iter().collect::<Option<_>>()? }
            }
            Side::Stage => {
                let stages: Vec<_> = elements.iter().map(|one| self.stage_element(one)).collect();
                Test::Stage { any_of: stages.into_iter().collect::<Option<_>>()?, unless: false }
            }
            Side::Constant(_) => return self.refuse_constant_in(left),
        };
        self.leaf(expr, test)
    }

    fn element(&mut self, left: Operand, kind: FieldType, one: &'a IdedExpr) -> Option<Value> {
        match self.side(one, None)? {
            Side::Constant(Constant::Null) => self.refuse_null_in_list(one),
            Side::Constant(value) => self.literal(left, kind, value, one),
            Side::Looked(..) | Side::Stage => self.refuse_element(one),
        }
    }

    fn stage_element(&mut self, one: &'a IdedExpr) -> Option<StageRef> {
        match self.side(one, None)? {
            Side::Constant(Constant::Text(name)) => self.stage(name, one).map(|(stage, _)| stage),
            _ => self.refuse_stage_against(one),
        }
    }

    fn method(
        &mut self,
        expr: &'a IdedExpr,
        call: &'a CallExpr,
        name: &str,
        target: &'a IdedExpr,
        args: &'a [IdedExpr],
    ) -> Option<Node> {
        let side = self.side(target, None);
        let Some(method) = Method::named(name) else { return self.refuse_method(expr, call) };
        let left = match side? {
            Side::Looked(left, FieldType::Text) => left,
            Side::Looked(left, kind) => return self.refuse_method_on(expr, call, left, kind),
            Side::Stage | Side::Constant(_) => return self.refuse_method_target(target, name),
        };
        let [IdedExpr { expr: Expr::Literal(LiteralValue::String(part)), .. }] = args else {
            return self.refuse_method_argument(expr, name);
        };
        self.leaf(expr, Test::Text { left, method, part: part.inner().into() })
    }

    fn reached(&mut self, expr: &'a IdedExpr, args: &'a [IdedExpr]) -> Option<Node> {
        let [at @ IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. }] = args else {
            return self.refuse_reached_argument(expr);
        };
        match self.stage(name.inner(), at)? {
            (stage, true) => self.leaf(expr, Test::Reached(stage)),
            (stage, false) => self.refuse_reached_ending(at, &stage.name),
        }
    }

    /// One side of a comparison; `beside` is the other, for advice.
    fn side(&mut self, expr: &'a IdedExpr, beside: Option<&'a IdedExpr>) -> Option<Side<'a>> {
        let constant = match &expr.expr {
            Expr::Ident(name) => return self.name(expr, name, beside),
            Expr::Literal(LiteralValue::Null) => Constant::Null,
            Expr::Literal(LiteralValue::String(text)) => Constant::Text(text.inner()),
            Expr::Literal(LiteralValue::Int(n)) => Constant::Number(**n as f64),
            Expr::Literal(LiteralValue::UInt(n)) => Constant::Number(**n as f64),
            Expr::Literal(LiteralValue::Double(n)) => Constant::Number(**n),
            Expr::Literal(LiteralValue::Boolean(b)) => Constant::Bool(**b),
            Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                ("timestamp", [IdedExpr { expr: Expr::Literal(LiteralValue::String(text)), .. }]) => {
                    Constant::Moment(text.inner())
                }
                _ => return self.refuse_as_side(expr, call),
            },
            _ => return self.refuse_other(expr),
        };
        Some(Side::Constant(constant))
    }

    fn name(&mut self, expr: &IdedExpr, name: &str, beside: Option<&IdedExpr>) -> Option<Side<'a>> {
        if name == "stage" {
            return self.stages(expr).map(|_| Side::Stage);
        }
        let (operand, kind) = match self.scope.dictionary.of(self.scope.object).get(name) {
            _ if name == "touches" && self.scope.in_clock => (Operand::Touches, FieldType::Number),
            Some(FieldType::Number) if name == "touches" => (Operand::Touches, FieldType::Number),
            // Interned only now that the dictionary is known to declare it.
            Some(kind) => (Operand::Field(FieldName::new(name)), *kind),
            None => return self.refuse_name(expr, name, beside),
        };
        if !self.operands.contains(&operand) {
            self.operands.push(operand);
        }
        Some(Side::Looked(operand, kind))
    }

    fn stages(&mut self, at: &IdedExpr) -> Option<&'a [(String, bool)]> {
        match self.scope.stages {
            Some(stages) => Some(stages),
            None => self.refuse_stages(at),
        }
    }

    /// The stage of this name, and whether it stands in the waterfall.
    fn stage(&mut self, name: &str, at: &IdedExpr) -> Option<(StageRef, bool)> {
        let stages = self.stages(at)?;
        match stages.iter().position(|(known, _)| known == name) {
            Some(index) => Some((StageRef { index, name: Arc::from(name) }, stages[index].1)),
            None => self.refuse_stage_name(at, name, stages),
        }
    }

    /// A literal as the type of what it is compared with.
    fn literal(&mut self, left: Operand, kind: FieldType, value: Constant<'_>, at: &IdedExpr) -> Option<Value> {
        let read = match (kind, value) {
            (FieldType::Text, Constant::Text(text)) => Some(Value::text(text)),
            (FieldType::Number, Constant::Number(n)) => Some(Value::Number(n)),
            (FieldType::Bool, Constant::Bool(b)) => Some(Value::Bool(b)),
            (FieldType::Date, Constant::Text(text) | Constant::Moment(text)) => date(text).map(Value::Date),
            (FieldType::Time, Constant::Text(text) | Constant::Moment(text)) => moment(text).map(Value::Time),
            _ => None,
        };
        if read.is_none() {
            return self.refuse_literal(left, kind, value, at);
        }
        read
    }

    /// Leaves a problem behind.
    pub(super) fn refuse<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    pub(super) fn span(&self, expr: &IdedExpr) -> Range<usize> {
        self.parsed.span(expr)
    }
}

fn flatten<'e>(expr: &'e IdedExpr, operator: &str, into: &mut Vec<&'e IdedExpr>) {
    match &expr.expr {
        Expr::Call(call) if call.func_name == operator => {
            call.args.iter().for_each(|part| flatten(part, operator, into));
        }
        _ => into.push(expr),
    }
}

/// `2027-01-04`; or a moment that is a midnight in UTC, as the CRMs write dates.
fn date(text: &str) -> Option<Date> {
    if text.len() == "2027-01-04".len() {
        return text.parse().ok();
    }
    let midnight = moment(text)?.to_jiff().to_zoned(TimeZone::UTC).datetime();
    (midnight.time() == jiff::civil::Time::midnight()).then(|| midnight.date())
}

/// RFC 3339; or a date, taken as its midnight in UTC, as a CRM's bare date in a time field is read.
fn moment(text: &str) -> Option<Timestamp> {
    // A dash: the bare milliseconds that a CRM may send are nothing that people write.
    if !text.contains('-') || text.starts_with('-') {
        return None;
    }
    FieldType::Time.read(text).ok()?.as_time()
}

fn operator(name: &str) -> Option<Op> {
    match name {
        operators::EQUALS => Some(Op::Eq),
        operators::NOT_EQUALS => Some(Op::Ne),
        operators::LESS => Some(Op::Lt),
        operators::LESS_EQUALS => Some(Op::Le),
        operators::GREATER => Some(Op::Gt),
        operators::GREATER_EQUALS => Some(Op::Ge),
        _ => None,
    }
}
