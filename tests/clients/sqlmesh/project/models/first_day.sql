MODEL (name mesh.first_day, kind VIEW);

SELECT day, name, plays FROM mesh.daily WHERE day = '2018-11-28'
