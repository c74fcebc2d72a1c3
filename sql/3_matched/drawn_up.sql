-- The one row is the rules by which candidates and clusters were last drawn up: the code, the model and the settings.
select $rules::varchar as rules
