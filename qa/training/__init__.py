r"""Training of the shipped readers; never imported by the rest of `qa`.

The fast one is made from all-MiniLM-L6-v2, the careful one from all-mpnet-base-v2.

The data sets stand in DIR/reader, the results of every step in WORK. On a CPU:

    python -m qa.training stage1    --data DIR --work WORK --tokens 50e6 --lr 1e-4
    python -m qa.training negatives --data DIR --work WORK --questions 30000
    python -m qa.training stage2    --data DIR --work WORK --tokens 15e6 --lr 3e-5
    python -m qa.training export    --from WORK/stage2 --data DIR --out READER \
                                    [--average WORK/stage1=0.2] [--about FIGURES.json]
    python -m qa.training evaluate  --from READER \
                                    DIR/reader/squad2-dev.json.gz DIR/reader/squad1-dev.json.gz

A stage can be resumed: SIGTERM, Ctrl-C and --max-minutes end it with a checkpoint, and the same
command continues from there. `STEP --help` lists every setting. Data settings (--sources,
--swap-share, --max-tokens, ...) must be the same in every step. WORK holds:

    corpus.npz          all tokens, 13 MB
    validation.json.gz  a sample of the held-out articles, which no stage sees
    negatives.npz       hard negatives for stage 2
    STAGE/checkpoint.pt weights, optimiser and random states
    STAGE/log.jsonl     step, tokens, loss, lr, tokens_per_s, validation

On a CPU, training is half again as fast if memory is never given back to the system (Linux with
glibc 2.35 or later). Set this in front of the command:

    TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0
    TUNABLES=$TUNABLES:glibc.malloc.trim_threshold=34359738368:glibc.malloc.top_pad=268435456
    GLIBC_TUNABLES=$TUNABLES python -m qa.training stage1 ...

A GPU machine needs only torch, transformers, tokenizers, numpy, safetensors and, for the validation
figures, regex. Where few megabytes can be copied to it, run here first:

    python -m qa.training prepare   --data DIR --work WORK
    python -m qa.training negatives --data DIR --work WORK --questions 0
    python -m qa.training base      --out BASE                          an fp16 copy, 46 MB

Copy BASE and WORK without its stages (some 15 MB), and run there, with this checkout as the working
folder:

    GPU="--work WORK --base BASE --batch-tokens 65536 --attention sdpa --dropout 0.1"
    GPU="$GPU --ema 0.999 --log-steps 50 --validate-tokens 1e7"
    python -m qa.training stage1 $GPU --tokens 150e6 --lr 4e-4
    python -m qa.training stage2 $GPU --tokens 60e6 --lr 1e-4
    python -m qa.training export --from WORK/stage2 --base BASE --out OUT
    split -b 15m OUT/reader.safetensors OUT/part-

Rates and tokens of the GPU commands are a first guess, to be settled on the validation figures.
Copy reader.json and the parts back, and run here:

    cat part-* > reader.safetensors
    python -m qa.training export --from OUT --data DIR --out READER

This last export checks both hashes, writes the card anew against the base that comes with pip,
balances the score of no answer on held-out questions, and leaves the weights as they are.

The careful reader is trained by the same steps with the folder of its base (all-mpnet-base-v2, from
wherever its files are to be had) as --base: 2.7 million parameters of adapters on the base in 4
bits. On two cores, in windows that are short, with the fast reader as a teacher:

    CAREFUL="--data DIR --work WORK --base MPNET --max-tokens 160 --overlap 48 --precision f32"
    python -m qa.training stage1 $CAREFUL --tokens 12e6 --lr 5e-4 --warmup 0.03 --weight-decay 0 \
                                 --batch-tokens 2048 --teacher 1 --from qa/weights/careful
    python -m qa.training export --from WORK/stage1 --base MPNET --data DIR --out qa/weights/careful
    python deploy/make_graphs.py

The modules, in the order of the data flow:

    errors config      error class; every setting
    data               SQuAD-format files -> examples
    swaps statements   synthetic unanswerable questions; synthetic yes-or-no questions
    corpus windows     examples -> tokens -> windows with labels
    units batches      windows of one epoch -> tensors
    special_tokens     those that frame a window of BERT and of MPNet
    model loss         logits; shared normalisation over all windows of a question
    adapters teacher   what is trained of the careful reader; the fast one as its teacher
    checkpoint loop    training that can be stopped at any moment
    evaluate traps     EM, F1, AUROC on gold passages; pairs of a question and its trap
    balance            score from which a span beats "no answer" where both are equally common
    negatives export   hard negatives from our own retriever; the folder that is shipped
    careful_export     the careful reader's folder

These depend on the architecture: `special_tokens`, `model` (which model is built and which of its
parameters are trained), `adapters`, `teacher`, `export` and `careful_export` (which tensors are
shipped). The others take any torch module with start and end logits, and handle only the parameters
that require a gradient.
"""
