use std::cell::Cell;
use std::sync::Mutex;

use aws_smithy_async::rt::sleep::TokioSleep;

use super::*;

const CONDITION: Condition = Condition { until: "the kettle boils", within: Duration::from_mins(1) };

fn waiting(progress: Progress) -> Waiting {
    Waiting { sleep: SharedAsyncSleep::new(TokioSleep::new()), stop: Stop::new(), progress }
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_the_condition_holds_or_never_will() {
    let waiting = waiting(Progress::silent());
    let looks = Cell::new(0);
    let look = || async {
        looks.set(looks.get() + 1);
        Ok(if looks.get() == 4 { Look::Yes("tea") } else { Look::NotYet })
    };
    assert_eq!(until(CONDITION, &waiting, look).await, Ok("tea"));
    assert_eq!(looks.get(), 4);
    let never = || async { Ok(Look::<()>::Never(Problem::failed("no_water", "no water"))) };
    assert_eq!(until(CONDITION, &waiting, never).await.unwrap_err().code, "no_water");
}

#[tokio::test(start_paused = true)]
async fn its_deadline_is_kept_and_named() {
    let waiting = waiting(Progress::silent());
    let began = Instant::now();
    let problem = until(CONDITION, &waiting, || async { Ok(Look::<()>::NotYet) }).await.unwrap_err();
    assert_eq!(began.elapsed(), CONDITION.within);
    assert_eq!(problem.what, "waited 60 s until the kettle boils");
}

#[tokio::test(start_paused = true)]
async fn it_is_told_about_at_most_every_ten_seconds() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let progress = Progress::new(move |until, elapsed| listener.lock().unwrap().push((until, elapsed)));
    until(CONDITION, &waiting(progress), || async { Ok(Look::<()>::NotYet) }).await.unwrap_err();
    let told = told.lock().unwrap();
    assert!(!told.is_empty() && told.iter().all(|(until, _)| *until == CONDITION.until));
    assert!(told.windows(2).all(|pair| pair[1].1 >= pair[0].1 + PROGRESS_EVERY), "{told:?}");
}

/// Nobody sits out a pause after Ctrl-C; the next look is refused at the door.
#[tokio::test(start_paused = true)]
async fn a_stop_cuts_the_pause_short() {
    let waiting = waiting(Progress::silent());
    let began = Instant::now();
    let looks = Cell::new(0);
    let look = || async {
        looks.set(looks.get() + 1);
        match looks.get() {
            // Pauses are long by now.
            10 => waiting.stop.stop(),
            11 => return Err(Problem::failed("refused_at_the_door", "")),
            _ => {}
        }
        Ok(Look::<()>::NotYet)
    };
    let problem = until(CONDITION, &waiting, look).await.unwrap_err();
    let before = Duration::from_millis(250 + 500 + 1000 + 2000 + 4000 + 4 * 5000);
    assert_eq!((problem.code, began.elapsed()), ("refused_at_the_door", before));
}
