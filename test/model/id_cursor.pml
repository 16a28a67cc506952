/* SPDX-License-Identifier: MIT
 *
 * The protocol of include/featherid/id_cursor.h: three claimants and one publisher over the word and the
 * record, one statement a memory access, all interleavings. Checked: no id is claimed twice, none is
 * claimed that was returned as a tail, and none outside the published segments.
 *
 * Spin's memory is sequentially consistent; that the code's orders suffice for it is argued in
 * id_cursor.h. Segments are [10 * n, 10 * n + SIZE) for the n-th, so that ids tell where they are from.
 *
 * MUTATION 1: the record is written before the word is closed.
 * MUTATION 2: the size is compared without the generation.
 * MUTATION 3: the tail is read from the word before it is closed, without an exchange.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define CLAIMANTS 3
#define CLAIMS 1   /* that each claimant tries */
#define SEGMENTS 2 /* that the publisher installs, one after the other, and then closes */
#define SIZE 2
#define IDS 40

/* The 64-bit word, as its two halves; only one statement ever touches both. */
byte generation = 0;
byte offset = 0;
/* The record; its origin is a generation, with offset 0. */
byte origin = 0;
byte first = 0;
byte size = 0;

bool taken[IDS];

inline take(id) {
  assert((id) >= 10 && (id) % 10 < SIZE && (id) / 10 <= SEGMENTS);
  assert(!taken[id]);
  taken[id] = true;
}

/* The generations of the word and of the record agree, or a mutation does not look. */
#if MUTATION == 2
#define SAME(g, o) (true)
#else
#define SAME(g, o) ((g) == (o))
#endif

proctype Claimant() {
  byte my_origin, my_first, my_size, my_generation, my_offset, now;
  byte claims = 0;
  do
  :: claims == CLAIMS -> break
  :: claims < CLAIMS ->
    claims++;
    /* claim_one() */
    my_origin = origin;
    my_first = first;
    my_size = size;
    atomic { my_generation = generation; my_offset = offset; offset++ };
    if
    :: SAME(my_generation, my_origin) && my_offset < my_size -> take(my_first + my_offset)
    :: else ->
      /* claim_one_slow(), its first round; a lost id ends the claim here */
      if
      :: my_generation % 2 == 1 -> skip
      :: else ->
        my_origin = origin;
        my_first = first;
        my_size = size;
        now = generation;
        if
        :: now == my_generation && SAME(my_generation, my_origin) && my_offset < my_size ->
          take(my_first + my_offset)
        :: else -> skip
        fi
      fi
    fi;
    skip;
    d_step { my_origin = 0; my_first = 0; my_size = 0; my_generation = 0; my_offset = 0; now = 0 }
  od
}

/* claim(1, 2): by compare-and-swap, one try. */
proctype RangeClaimant() {
  byte my_origin, my_first, my_size, my_generation, my_offset, count;
  bool won;
  byte claims = 0;
  do
  :: claims == CLAIMS -> break
  :: claims < CLAIMS ->
    claims++;
    my_origin = origin;
    my_first = first;
    my_size = size;
    atomic { my_generation = generation; my_offset = offset };
    if
    :: SAME(my_generation, my_origin) && my_offset < my_size ->
      count = my_size - my_offset;
      atomic {
        won = generation == my_generation && offset == my_offset;
        if
        :: won -> offset = offset + count
        :: else -> skip
        fi
      };
      if
      :: won ->
        do
        :: count > 0 -> count--; take(my_first + my_offset + count)
        :: else -> break
        od
      :: else -> skip
      fi
    :: else -> skip
    fi;
    skip;
    d_step { my_origin = 0; my_first = 0; my_size = 0; my_generation = 0; my_offset = 0; won = false }
  od
}

/* replace(), once for each segment and once to close. */
proctype Publisher() {
  byte segment = 0;
  byte closed, last_generation, last_offset, i;
  do
  :: segment > SEGMENTS -> break
  :: segment <= SEGMENTS ->
    segment++;
    closed = generation + 1;
    if
    :: closed % 2 == 0 -> closed++
    :: else -> skip
    fi;
#if MUTATION == 1
    last_generation = generation;
    i = size;
    if
    :: segment <= SEGMENTS -> first = 10 * segment; size = SIZE
    :: else -> skip
    fi;
    atomic { last_offset = offset; generation = closed; offset = 0 };
#elif MUTATION == 3
    atomic { last_generation = generation; last_offset = offset };
    atomic { generation = closed; offset = 0 };
    i = size;
#else
    atomic { last_generation = generation; last_offset = offset; generation = closed; offset = 0 };
    i = size;
#endif
    /* The tail goes back into the stock: nobody else may have its ids. */
    if
    :: last_generation == origin ->
      do
      :: last_offset < i -> take(10 * (segment - 1) + last_offset); last_offset++
      :: else -> break
      od
    :: else -> skip
    fi;
    if
    :: segment <= SEGMENTS ->
#if MUTATION != 1
      first = 10 * segment;
      size = SIZE;
#endif
      origin = closed + 1;
      atomic { generation = closed + 1; offset = 0 }
    :: else -> skip
    fi
  od
}

init {
  atomic {
    run Claimant();
    run Claimant();
    run RangeClaimant();
    run Publisher()
  }
}
