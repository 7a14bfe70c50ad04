;; A component written by hand: one core module does the arithmetic, and each
;; `canon lift` below gives a core function its component-level type. The types
;; are those of wit/world.wit; the build compares the two.
(component
  (core module $arithmetic
    ;; Results that do not fit one core value are returned through memory at
    ;; $result. A call has an instance to itself or runs alone in it, so one
    ;; place is enough.
    (memory (export "memory") 1)
    (global $result i32 (i32.const 0))
    (global $by-zero i32 (i32.const 64))
    (global $too-large i32 (i32.const 96))
    (data (i32.const 64) "division by zero")
    (data (i32.const 96) "the quotient is out of range")

    (func (export "add") (param $a i32) (param $b i32) (result i64)
      (i64.add (i64.extend_i32_s (local.get $a)) (i64.extend_i32_s (local.get $b))))

    ;; result<division, string>: discriminant at 0, then the record or the string at 4.
    (func (export "divide") (param $dividend i32) (param $divisor i32) (result i32)
      (if (i32.eqz (local.get $divisor))
        (then (return (call $fail (global.get $by-zero) (i32.const 16)))))
      ;; -2147483648 / -1 is the one quotient that an s32 cannot hold.
      (if (i32.and (i32.eq (local.get $dividend) (i32.const 0x80000000))
                   (i32.eq (local.get $divisor) (i32.const -1)))
        (then (return (call $fail (global.get $too-large) (i32.const 28)))))
      (i32.store8 (global.get $result) (i32.const 0))
      (i32.store offset=4 (global.get $result)
        (i32.div_s (local.get $dividend) (local.get $divisor)))
      (i32.store offset=8 (global.get $result)
        (i32.rem_s (local.get $dividend) (local.get $divisor)))
      (global.get $result))

    (func $fail (param $text i32) (param $length i32) (result i32)
      (i32.store8 (global.get $result) (i32.const 1))
      (i32.store offset=4 (global.get $result) (local.get $text))
      (i32.store offset=8 (global.get $result) (local.get $length))
      (global.get $result))

    (func (export "gcd") (param $a i32) (param $b i32) (result i32)
      (local $rest i32)
      (loop $next
        (if (local.get $b)
          (then
            (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
            (local.set $a (local.get $b))
            (local.set $b (local.get $rest))
            (br $next))))
      (local.get $a))

    ;; option<f64>: discriminant at 0, the number at 8. NaN is the root of NaN.
    (func (export "square-root") (param $x f64) (result i32)
      (i32.store8 (global.get $result) (i32.eqz (f64.lt (local.get $x) (f64.const 0))))
      (f64.store offset=8 (global.get $result) (f64.sqrt (local.get $x)))
      (global.get $result))

    ;; option<ordering>: discriminant at 0, the case's index at 1. A number that
    ;; does not equal itself is NaN.
    (func (export "compare") (param $a f64) (param $b f64) (result i32)
      (i32.store8 (global.get $result)
        (i32.and (f64.eq (local.get $a) (local.get $a)) (f64.eq (local.get $b) (local.get $b))))
      (i32.store8 offset=1 (global.get $result)
        (i32.add (f64.ge (local.get $a) (local.get $b)) (f64.gt (local.get $a) (local.get $b))))
      (global.get $result)))

  (core instance $core (instantiate $arithmetic))

  (type $division-shape (record (field "quotient" s32) (field "remainder" s32)))
  (import "division" (type $division (eq $division-shape)))
  (type $ordering-shape (enum "less" "equal" "greater"))
  (import "ordering" (type $ordering (eq $ordering-shape)))

  (func (export "add") (param "a" s32) (param "b" s32) (result s64)
    (canon lift (core func $core "add")))
  (func (export "divide") (param "dividend" s32) (param "divisor" s32)
    (result (result $division (error string)))
    (canon lift (core func $core "divide") (memory (core memory $core "memory"))))
  (func (export "gcd") (param "a" u32) (param "b" u32) (result u32)
    (canon lift (core func $core "gcd")))
  (func (export "square-root") (param "x" f64) (result (option f64))
    (canon lift (core func $core "square-root") (memory (core memory $core "memory"))))
  (func (export "compare") (param "a" f64) (param "b" f64) (result (option $ordering))
    (canon lift (core func $core "compare") (memory (core memory $core "memory")))))
