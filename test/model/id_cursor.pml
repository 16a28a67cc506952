/* SPDX-License-Identifier: MIT
 *
 * The protocol of include/featherid/id_cursor.h, as TagState uses it: claimants of one id and of ranges, and
 * one publisher that installs chunks of its stock, closes the cursor, takes tails back into the stock,
 * installs them again, and at last closes for good and gives the rest back. All interleavings; a step is one
 * access to shared memory with what the thread does by itself after it. Checked: no id is claimed twice, none
 * that was given back, none that was never installed.
 *
 * Spin's memory is sequentially consistent; that the code's orders suffice for it is argued in id_cursor.h.
 * first and size, which the code leaves unordered, are written and read in one order here: a
 * reader sees all four mixtures of old and new that way as well. The fork epoch is a constant in any one
 * process and left out; the 2^31 at which claims from a closed cursor take the offset back is TAKE_BACK here.
 *
 * MUTATION 1: the record is written before the word is closed.
 * MUTATION 2: the size is compared without the generation.
 * MUTATION 3: the tail is read from the word before it is closed, without an exchange.
 * MUTATION 4: a range is claimed by comparing the offset alone.
 * MUTATION 5: the record is read after the claim.
 * MUTATION 6: the origin is written before first and size.
 * MUTATION 7: the slow path trusts the record without a second look at the word.
 * MUTATION 8: the offset of a closed cursor is taken back by a plain store.
 */
#ifndef MUTATION
#define MUTATION 0
#endif
#define CHUNK 2     /* ids in the cursor at a time, at the most */
#define IDS 3       /* in all: 1, 2 in the cursor at the beginning, 3 in stock */
#define TAKE_BACK 1
/* Given on the command line: CLAIMANTS of one id each, one of a range comes on top; INSTALLS, of chunks by the
 * publisher after the first one. */

/* The 64-bit word, as its two halves; one statement touches both. */
byte generation = 2;
byte offset = 0;
/* The record; its origin is a generation, with offset 0. */
byte origin = 2;
byte first = 1;
byte size = CHUNK;

/* What the checks need to know. */
bool gone[5];  /* claimed or given back; index 0 is what a record not yet written would give */

inline take(id) {
  assert(1 <= (id) && (id) <= IDS);
  assert(!gone[id]);
  gone[id] = true
}

#if MUTATION == 2
#define SAME(g, o) (true)
#else
#define SAME(g, o) ((g) == (o))
#endif

inline read_first_and_size() {
  my_first = first;
  my_size = size
}

/* claim_one() with claim_one_slow(). */
proctype Claimant() {
  byte my_origin, my_first, my_size, my_generation, my_offset;
  bool current;
  my_origin = origin;
#if MUTATION != 5
  read_first_and_size();
#endif
  atomic {
    my_generation = generation; my_offset = offset; offset++;
#if MUTATION != 5
    if
    :: SAME(my_generation, my_origin) && my_offset < my_size -> take(my_first + my_offset); goto done
    :: else
    fi
#endif
  };
#if MUTATION == 5
  read_first_and_size();
  if
  :: atomic { SAME(my_generation, my_origin) && my_offset < my_size -> take(my_first + my_offset) }; goto done
  :: else
  fi;
#endif
slow:
  if
  :: my_generation % 2 == 1 ->
#if MUTATION == 8
    if
    :: my_offset >= TAKE_BACK -> offset = 0
    :: else
    fi;
#else
    atomic {
      if
      :: my_offset >= TAKE_BACK && generation == my_generation && offset == my_offset + 1 -> offset = 0
      :: else
      fi
    };
#endif
    goto done
  :: else
  fi;
  my_origin = origin;
  read_first_and_size();
  atomic {
    current = (generation == my_generation);
#if MUTATION == 7
    current = true;
#endif
    if
    :: current && SAME(my_generation, my_origin) && my_offset < my_size ->
      take(my_first + my_offset); goto done
    :: current && my_origin == my_generation -> goto done
    :: else
    fi
  };
  atomic { my_generation = generation; my_offset = offset; offset++ };
  goto slow;
done:
  skip
}

/* claim(1, 2). */
proctype RangeClaimant() {
  byte my_origin, my_first, my_size, my_generation, my_offset, count;
again:
  my_origin = origin;
  read_first_and_size();
  atomic {
    my_generation = generation; my_offset = offset;
    if
    :: SAME(my_generation, my_origin) && my_offset < my_size -> count = my_size - my_offset
    :: else ->
      if
      :: my_generation % 2 == 1 || my_generation == my_origin -> goto done
      :: else -> goto again
      fi
    fi
  };
  atomic {
    if
    :: offset == my_offset && (generation == my_generation || MUTATION == 4) ->
      offset = offset + count;
      do
      :: count > 0 -> count--; take(my_first + my_offset + count)
      :: else -> break
      od
    :: else -> goto again
    fi
  };
done:
  skip
}

byte stock_first = 1 + CHUNK;  /* the publisher's own, but Spin has no other place for what inlines share */

/* replace(): installs [stock_first, stock_first + count), or nothing when count is 0. */
inline replace(count) {
  closed = generation + 1;
  if
  :: closed % 2 == 0 -> closed++
  :: else
  fi;
#if MUTATION == 1
  if
  :: count > 0 -> first = stock_first; size = count
  :: else
  fi;
#endif
#if MUTATION == 3
  atomic { last_generation = generation; last_offset = offset };
  atomic { generation = closed; offset = 0;
#else
  atomic { last_generation = generation; last_offset = offset; generation = closed; offset = 0;
#endif
    if
    :: last_generation == installed && last_offset < in_cursor ->
      if
      :: count == 0 -> stock_first = stock_first - (in_cursor - last_offset)  /* back in front of the stock */
      :: else ->
        do
        :: last_offset < in_cursor -> take(stock_first - in_cursor + last_offset); last_offset++
        :: else -> break
        od
      fi
    :: else
    fi;
    in_cursor = 0
  };
  if
  :: count > 0 ->
#if MUTATION == 6
    origin = closed + 1;
#endif
#if MUTATION != 1
    first = stock_first;
    size = count;
#endif
    origin = closed + 1;
    installed = closed + 1;
    in_cursor = count;
    stock_first = stock_first + count;
    atomic { generation = closed + 1; offset = 0 }
  :: else
  fi
}

#define LEFT (IDS + 1 - stock_first)
#define NEXT_CHUNK ((LEFT < CHUNK) -> LEFT : CHUNK)

proctype Publisher() {
  byte closed, last_generation, last_offset, count;
  byte installs = 0;
  byte installed = 2, in_cursor = CHUNK;  /* what the record says, as its only writer knows it */
  /* TagState takes the tail back first; what is in stock by then is installed again. */
  do
  :: installs == INSTALLS -> break
  :: installs < INSTALLS ->
    installs++;
    if
    :: replace(0)
    :: skip  /* nor is it wrong to replace a segment that is open */
    fi;
    count = NEXT_CHUNK;
    replace(count)
  od;
  replace(0);
  atomic {
    do
    :: stock_first <= IDS -> take(stock_first); stock_first++
    :: else -> break
    od
  }
}

init {
  byte claimants = 0;
  atomic {
    do
    :: claimants < CLAIMANTS -> claimants++; run Claimant()
    :: else -> break
    od;
    run RangeClaimant();
    run Publisher()
  }
}
