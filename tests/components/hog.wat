;; `hog` takes memory a page (64 KiB) at a time, writing to each, until it is
;; refused more, and returns how many pages it got.
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "hog") (result i32)
      (local $page i32)
      (loop $more
        (local.set $page (memory.grow (i32.const 1)))
        (if (i32.ne (local.get $page) (i32.const -1))
          (then
            (i32.store (i32.mul (local.get $page) (i32.const 65536)) (i32.const 1))
            (br $more))))
      (memory.size)))
  (core instance $i (instantiate $m))
  (func (export "hog") (result u32) (canon lift (core func $i "hog"))))
