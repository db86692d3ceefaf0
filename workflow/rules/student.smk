"""Student: its choices in every scenario and what it knows of the payoffs, untuned (base) and tuned in each arm from each seed.

REQUIRED INPUTS
    results/prompts/*.json
    results/models/{model}.json
    results/{teacher,student}/checked.json, which both have to be there
    results/student/{arm}-{seed}/training.json   for a tuned student
    the store, for answers that are there

OUTPUTS, of which variants are base and {arm}-{seed}
    results/student/{variant}.parquet                 exact choices, a row per scenario and frame
    results/student/{variant}.amounts.parquet         exact choices of amounts, a row per scenario
    results/student/{variant}.answers.parquet         drawn answers, a row per scenario, frame and draw
    results/student/{variant}.comprehension.parquet   exact answers to questions about the payoffs
    results/student/{variant}.examined.json           what was found out about the model by which they were computed

Only what the store lacks is asked; the model is loaded only then, once.
"""

VARIANTS = ["base", *TUNED]
STUDENT_ANSWERS = expand(f"{RESULTS}/student/{{variant}}.answers.parquet", variant=VARIANTS)


use rule ask_teacher as ask_student with:
    input:
        prompts=prompt_files(experiment.every_game),
        model=student_model,
        checked=awaited("ask_student", CHECKED),
        adapter=adapter_of,
        edited=edited("ask_student", variant=VARIANTS),
    output:
        choices=f"{RESULTS}/student/{{variant}}.parquet",
        amounts=f"{RESULTS}/student/{{variant}}.amounts.parquet",
        answers=f"{RESULTS}/student/{{variant}}.answers.parquet",
        comprehension=f"{RESULTS}/student/{{variant}}.comprehension.parquet",
        examined=f"{RESULTS}/student/{{variant}}.examined.json",
        record=f"{RESULTS}/records/ask_student/{{variant}}.json",
    log:
        f"{RESULTS}/logs/ask_student/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_student/{{variant}}.tsv"
    params:
        respondent=student_respondent,
        asking=student_asking,
    message:
        "Asking the {wildcards.variant} student"
